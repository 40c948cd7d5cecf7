"""A data set in a DVC remote: the object that `dvc push` has put there, found by its md5 alone."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.fer.errors import InputError, TemporaryError
from components.storage.progress import Progress

SCHEMES = ("gs://", "s3://")

BLOCK = 16 * 1024 * 1024
"""Bytes of one request: what a fault of the network costs, and what is held in memory."""


def is_address(path: str) -> bool:
    """Tell whether `path` is a remote's address and no path."""
    return path.startswith(SCHEMES)


@contextmanager
def fetched(address: str, md5: str) -> Iterator[Path]:
    """Give a temporary copy of the object with this md5 in the DVC remote at `address`.

    Raises `InputError` where it is not there or may not be read, `TemporaryError` where the remote cannot be reached,
    or gives another content than the md5 says.
    """
    if not md5:
        raise InputError(
            f"data set {address}: expected the md5 of an object in this DVC remote, received none.",
            "Set data.md5 in params.yaml: data.dvc has it.",
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.csv"
        _fetch(address, md5, file)
        yield file


def _fetch(address: str, md5: str, file: Path) -> None:
    # A desk has its data in a folder, and need not have DVC's file systems.
    from dvc_data.hashfile.db import get_odb

    from components.storage import addresses

    missing = InputError(
        f"data set {address}: no object {md5} in this DVC remote (files/md5/{md5[:2]}/{md5[2:]}).",
        "Put it there: dvc push data.dvc. Or correct data.path or data.md5 in params.yaml.",
    )
    with addresses.faults(f"data set {address}", address, missing):
        system, root = addresses.file_system(address)
        path = get_odb(system, system.join(root, "files", "md5"), hash_name="md5").oid_to_path(md5)
        size = system.size(path)
        progress = Progress(f"fetching {address}", size)
        digest = hashlib.md5(usedforsecurity=False)
        with system.open(path, "rb", cache_type="none") as source, file.open("wb") as target:
            while block := source.read(min(BLOCK, size - target.tell())):
                target.write(block)
                digest.update(block)
                progress.add(len(block))
    if digest.hexdigest() != md5:
        raise TemporaryError(
            f"data set {address}: expected an object with md5 {md5}, received one with md5 {digest.hexdigest()}.",
            "Run the same command again. If it says so again, the remote is damaged: remove "
            f"files/md5/{md5[:2]}/{md5[2:]} there, then: dvc push data.dvc",
        )

"""A folder for what is being written, which the next process removes if this one is killed.

The process holds a lock on it (flock), which the system takes back however the process ends: a folder without one is
litter.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".unfinished-"


@contextmanager
def folder(parent: Path) -> Iterator[Path]:
    """Give a new folder in `parent`, which goes at the end; remove those that killed processes left there."""
    for left in parent.glob(f"{PREFIX}*"):
        _remove_if_left(left)
    path, handle = _held(parent)
    try:
        yield path
    finally:
        os.close(handle)
        shutil.rmtree(path, ignore_errors=True)


def _held(parent: Path) -> tuple[Path, int]:
    """Make a folder and lock it; once more where another process took it for litter between the two."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        with suppress(OSError):  # a file system without locks, where nothing is taken for litter
            fcntl.flock(handle, fcntl.LOCK_EX)
        if path.is_dir():
            return path, handle
        os.close(handle)


def _remove_if_left(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # gone meanwhile, or another user's
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:  # its process lives
        return
    finally:
        os.close(handle)

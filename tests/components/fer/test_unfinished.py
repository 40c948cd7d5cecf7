"""A folder for what is being written goes at the end, or with the next process."""

import fcntl
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.fer import unfinished

KILLED = """
import os, pathlib, signal, sys
from components.fer import unfinished
with unfinished.folder(pathlib.Path(sys.argv[1])) as folder:
    (folder / "half").write_text("written")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_goes_at_the_end(tmp_path: Path) -> None:
    with unfinished.folder(tmp_path) as folder:
        (folder / "file").write_text("content")
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    assert (left / "half").read_text() == "written"
    with unfinished.folder(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_process_writes_stays(tmp_path: Path) -> None:
    with unfinished.folder(tmp_path) as first, unfinished.folder(tmp_path) as second:
        assert {first, second} == set(tmp_path.iterdir())


def test_many_at_once_keep_theirs(tmp_path: Path) -> None:
    def write(number: int) -> str:
        with unfinished.folder(tmp_path) as folder:
            (folder / "file").write_text(str(number))
            return (folder / "file").read_text()

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(write, range(200))) == [str(number) for number in range(200)]
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError(os.strerror(95))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with unfinished.folder(tmp_path) as first, unfinished.folder(tmp_path) as second:
        assert {first, second} == set(tmp_path.iterdir())

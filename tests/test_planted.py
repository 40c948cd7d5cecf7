"""The look for planted credentials finds one wherever it may be."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import planted


def zipped(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", content)


@pytest.mark.parametrize(
    "write",
    [Path.write_bytes, zipped, lambda path, content: path.write_bytes(gzip.compress(content))],
    ids=["plain", "zip", "gzip"],
)
def test_a_file_that_holds_one_is_named(write: Callable[[Path, bytes], None], tmp_path: Path) -> None:
    write(tmp_path / "clean", b"nothing " * 100)
    write(tmp_path / "leak", b"nothing " * 100 + planted.PASSWORD.encode() + b" nothing" * 100)
    assert planted.leaks("", tmp_path) == ["leak"]


def test_a_line_that_says_one_is_named(tmp_path: Path) -> None:
    header = f"Authorization: Basic {planted.NEEDLES[1].decode()}"
    assert planted.leaks(f"fine\n{header}\nfine", tmp_path) == [header]


def test_every_variable_has_one_or_leads_to_one(tmp_path: Path) -> None:
    for name, value in planted.environment(tmp_path).items():
        held = Path(value).read_text() if value.startswith(str(tmp_path)) else value
        assert planted.MARK in held or name == "MLFLOW_TRACKING_USERNAME"

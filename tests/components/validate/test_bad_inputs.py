"""Whatever is wrong with a data set: one clear message, exit code 1, and every file as it was before."""

import subprocess
import sys
from pathlib import Path

import pytest

from components.fer import stage
from components.validate.__main__ import main
from components.validate.config import Config
from tests.components.validate.bad import BAD
from tests.components.validate.bad.make import Bad
from tests.conftest import ROOT

ARGV = (
    *(
        "--path",
        "data",
        "--ferplus",
        "",
        "--expressions",
        "7",
        "--near-correlation",
        "0.95",
        "--split",
        "official",
        "--test-share",
        "0.3",
        "--split-seed",
        "1",
    ),
    *("--faces-npz", "out/faces.npz", "--masks-npz", "out/masks.npz"),
    *("--audit-json", "out/audit.json", "--data-docs", "out/data_docs"),
)
EARLIER = {
    "out/faces.npz": b"earlier faces",
    "out/masks.npz": b"earlier masks",
    "out/audit.json": b"{}",
    "out/data_docs/index.html": b"<html>",
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with an earlier good output."""
    monkeypatch.chdir(tmp_path)
    for name, content in EARLIER.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def put(bad: Bad, data: Path) -> None:
    """Write a broken data set."""
    if callable(bad.content):
        bad.content(data)
    else:
        data.write_bytes(bad.content if isinstance(bad.content, bytes) else bad.content.encode())


def outputs(workspace: Path) -> dict[str, bytes]:
    """All files under out/, hidden ones too."""
    files = [path for path in (workspace / "out").rglob("*") if path.is_file()]
    return {path.relative_to(workspace).as_posix(): path.read_bytes() for path in files}


@pytest.mark.usefixtures("own_logging")
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_broken_data_set_gives_its_error_and_nothing_else(
    bad: Bad, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(bad, workspace / "data")
    with pytest.raises(SystemExit) as exit_:
        stage.run(main, Config, [*ARGV, "--md5", bad.md5])
    assert exit_.value.code == 1
    assert capsys.readouterr() == ("", f"{bad.error}\n")
    assert outputs(workspace) == EARLIER
    assert sorted(path.name for path in (workspace / "out").iterdir()) == [
        "audit.json",
        "data_docs",
        "faces.npz",
        "masks.npz",
    ]


@pytest.mark.slow
def test_the_process_ends_in_the_same_way(workspace: Path) -> None:
    bad = BAD["cut_within_the_pixels"]
    put(bad, workspace / "data")
    command = [sys.executable, "-m", "components.validate", *ARGV, "--md5", ""]
    process = subprocess.run(
        command, cwd=workspace, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout, process.stderr) == (1, "", f"{bad.error}\n")
    assert outputs(workspace) == EARLIER


def test_a_disk_fault_is_told(workspace: Path, capsys: pytest.CaptureFixture[str], own_logging: None) -> None:
    (workspace / "data").symlink_to("/proc/self/mem")  # Linux lets no one read its first page
    with pytest.raises(SystemExit, match="1"):
        stage.run(main, Config, [*ARGV, "--md5", ""])
    assert capsys.readouterr().err == (
        "data set data: cannot be read (Input/output error).\nCheck the file's permissions and its disk.\n"
    )
    assert outputs(workspace) == EARLIER

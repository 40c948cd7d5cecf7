"""FER2013 comes to its place whole and checked, or not at all."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.fer.errors import InputError
from pipeline import data

CONTENT = b"emotion,pixels,Usage\n"
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose data.dvc names `CONTENT`, real to DVC."""
    root = tmp_path / "workspace"
    root.mkdir()
    entry = {"md5": MD5, "size": len(CONTENT), "hash": "md5", "path": "data/fer2013.csv"}
    (root / "data.dvc").write_text(yaml.safe_dump({"outs": [entry]}))
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=root, check=True)
    monkeypatch.setattr(data, "ROOT", root)
    return root


def test_a_file_is_copied_after_its_md5(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "download.csv"
    source.write_bytes(CONTENT)
    data.fetch(source)
    assert (workspace / "data" / "fer2013.csv").read_bytes() == CONTENT
    assert capsys.readouterr().out == f"data/fer2013.csv: FER2013, md5 {MD5}\n"
    data.fetch(workspace / "data" / "fer2013.csv")  # the file itself: nothing to copy
    assert [path.name for path in (workspace / "data").iterdir()] == ["fer2013.csv"]


def test_another_file_is_refused(workspace: Path, tmp_path: Path) -> None:
    source = tmp_path / "download.csv"
    source.write_bytes(b"cut")
    received = hashlib.md5(b"cut", usedforsecurity=False).hexdigest()
    with pytest.raises(InputError) as error:
        data.fetch(source)
    assert str(error.value) == (
        f"data set {source}: expected the official fer2013.csv (md5 {MD5}), received md5 {received}.\n"
        "Another file can be used by its path: set data.path and data.md5 ('' accepts any) in params.yaml."
    )
    assert not (workspace / "data" / "fer2013.csv").exists()


def test_no_file(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        data.fetch(tmp_path / "nothing.csv")
    assert str(error.value) == f"data set {tmp_path}/nothing.csv: expected a file, found none.\n{data.HOW_TO_GET}"


def test_no_remote(workspace: Path) -> None:
    with pytest.raises(InputError) as error:
        data.fetch(None)
    assert str(error.value) == (
        f"data set data/fer2013.csv: not here, and no DVC remote is set that could have it.\n{data.HOW_TO_GET}"
    )


def test_a_damaged_file_in_place(workspace: Path) -> None:
    target = workspace / "data" / "fer2013.csv"
    target.parent.mkdir()
    target.write_bytes(CONTENT + b"x")
    with pytest.raises(InputError, match=f"expected md5 {MD5}, received"):
        data.fetch(None)


def test_dvc_pull_brings_it(workspace: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote" / "files" / "md5" / MD5[:2]
    remote.mkdir(parents=True)
    (remote / MD5[2:]).write_bytes(CONTENT)
    add = [sys.executable, "-m", "dvc", "remote", "add", "-q", "-d", "team", str(tmp_path / "remote")]
    subprocess.run(add, cwd=workspace, check=True)
    data.fetch(None)
    assert (workspace / "data" / "fer2013.csv").read_bytes() == CONTENT


def test_a_remote_without_it(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "remote").mkdir()
    add = [sys.executable, "-m", "dvc", "remote", "add", "-q", "-d", "team", str(tmp_path / "remote")]
    subprocess.run(add, cwd=workspace, check=True)
    with pytest.raises(InputError, match=r"not here, and `dvc pull` from team failed \(above\)"):
        data.fetch(None)


def test_data_dvc_names_the_genuine_data_set() -> None:
    path, md5 = data.location()
    assert (path.name, md5) == ("fer2013.csv", "f8428a1edbd21e88f42c73edd2a14f95")
    params = yaml.safe_load((data.ROOT / "params.yaml").read_text())
    assert params["data"] == {"path": "data/fer2013.csv", "md5": md5, "ferplus": ""}

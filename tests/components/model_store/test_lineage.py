"""Where a version comes from."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from components.fer.errors import InputError
from components.model_store import lineage


@pytest.fixture
def components(tmp_path: Path) -> Path:
    """Sources of components, in a folder of their own."""
    folder = tmp_path / "project" / "components"
    (folder / "model_store").mkdir(parents=True)
    (folder / "model_store" / "lineage.py").write_text("one\n")
    (folder / "other.py").write_text("two\n")
    return folder


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def test_without_a_repository_the_sources_are_hashed_all_the_same(components: Path) -> None:
    found = lineage.code(components)
    assert (found.commit, found.dirty) == (None, None)
    assert len(found.sources_sha256) == 64


def test_without_git_there_is_no_commit(components: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert lineage.code(components).commit is None


@needs_git
def test_commit_and_whether_the_components_differ_from_it(components: Path) -> None:
    git(components.parent, "init")
    git(components.parent, "add", ".")
    git(components.parent, "commit", "-m", "first")
    (components.parent / "dvc.lock").write_text("changed by dvc repro while it runs")
    found = lineage.code(components)
    assert (found.commit, found.dirty) == (git(components.parent, "rev-parse", "HEAD"), False)
    (components / "other.py").write_text("three\n")
    changed = lineage.code(components)
    assert (changed.commit, changed.dirty) == (found.commit, True)
    assert changed.sources_sha256 != found.sources_sha256


@needs_git
def test_the_repository_of_somebody_else_is_not_ours(components: Path) -> None:
    git(components.parent, "init")  # as when an environment with ferflow lies in a user's own repository
    git(components.parent, "commit", "--allow-empty", "-m", "theirs")
    assert lineage.code(components).commit is None


def test_sources_are_told_apart_by_name_and_content(components: Path) -> None:
    before = lineage.sources_sha256(components)
    (components / "other.py").rename(components / "renamed.py")
    assert lineage.sources_sha256(components) != before
    (components / "renamed.py").rename(components / "other.py")
    (components / "notes.txt").write_text("no source")
    assert lineage.sources_sha256(components) == before


def test_packages_that_load_a_model_are_named() -> None:
    assert {"keras", "numpy"} <= lineage.packages().keys()


RECORD = {
    "name": "m",
    "when": "2026-01-02T03:04:05Z",
    "data_md5": "f8428a1edbd21e88f42c73edd2a14f95",
    "code": {"commit": None, "dirty": None, "sources_sha256": "0"},
    "model_sha256": "1",
    "parameter_count": 49,
    "verdict": {"decision": "HOLD", "reasons": [], "against": "majority class", "alpha": 0.05, "paired": None},
    "python": "3.11.7",
    "packages": {},
}


def test_a_record_from_before_submissions_is_read() -> None:
    assert lineage.parse(json.dumps(RECORD).encode(), "0001-1a2b3c4d").provenance is None


def test_a_broken_record_is_named() -> None:
    with pytest.raises(InputError) as raised:
        lineage.parse(json.dumps(RECORD | {"parameter_count": "many"}).encode(), "models/m/versions/0001-1a2b3c4d")
    assert str(raised.value) == (
        "version models/m/versions/0001-1a2b3c4d: expected a lineage.json as push-model writes it, found none.\n"
        "Restore the version from a backup."
    )

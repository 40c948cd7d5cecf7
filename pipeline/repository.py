"""What git says of the working tree."""

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from components.fer.errors import InputError
from pipeline.desk import ROOT


def commit() -> str:
    """The commit that is checked out. Raises `InputError` where there is none."""
    return _git("rev-parse", "HEAD")


def dirty(*paths: str) -> bool:
    """Whether files differ from the commit, all of them where no path is given."""
    return bool(_git("status", "--porcelain", "--", *paths))


def last_change(*paths: str) -> str:
    """The last commit that changed one of the files. Raises `InputError` where there is none."""
    return _git("log", "-1", "--format=%H", "--", *paths)


def has(commit: str) -> bool:
    """Whether git knows a commit; it does not where there is no repository."""
    try:
        _git("cat-file", "-e", f"{commit}^{{commit}}")
    except InputError:
        return False
    return True


def is_complete() -> bool:
    """Whether there is a repository with its whole history."""
    try:
        return _git("rev-parse", "--is-shallow-repository") == "false"
    except InputError:
        return False


def export(commit: str, path: str, folder: Path) -> None:
    """Write what a commit has below `path` to a folder. Raises `InputError` where it has nothing there."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        _git("archive", "--output", archive.name, commit, path)
        with tarfile.open(archive.name) as content:
            content.extractall(folder, filter="data")


def _git(*arguments: str) -> str:
    git = shutil.which("git")
    command = [git or "git", "-C", str(ROOT), *arguments]
    if git is None or (done := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
        told = "no git" if git is None else done.stderr.strip()
        raise InputError(
            f"repository {ROOT}: expected a commit that a run can be traced back to. Found: {told}",
            "Submit from a clone of the repository.",
        )
    return done.stdout.strip()

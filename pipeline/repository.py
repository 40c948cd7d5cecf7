"""What git says of the working tree."""

import shutil
import subprocess

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

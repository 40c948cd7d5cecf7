"""A copy of the repository as git would give it to somebody else, and the command line run from there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def make(folder: Path) -> None:
    """Copy what git has, the working tree's changes included, and make it a repository."""
    git = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(git, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    author = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "clone"]):
        subprocess.run(["git", *command], cwd=folder, check=True)


def start(clone: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start the command as it runs from the clone: its own sources, not those that are installed."""
    environment = {**os.environ, **(variables or {}), "PYTHONPATH": str(clone), "COLUMNS": "160"}
    command = [sys.executable, "-m", "pipeline.cli", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=clone, env=environment, text=True, stdout=pipe, stderr=pipe)


def ferflow(
    clone: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    process = start(clone, *arguments, variables=variables)
    out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)

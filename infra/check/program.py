"""The programs that look: where they are, and what they say."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

PLACES = (Path(sys.prefix) / "bin", REPOSITORY / ".venv-infra" / "bin")
"""environments of this repository; then $PATH"""

SECONDS = 600


class MissingError(Exception):
    """A program is not at hand. Its text says how to get it."""


def find(name: str, mend: str) -> str:
    """Path of a program. Raises `MissingError` with `mend` where it is not at hand."""
    found = shutil.which(name, path=os.pathsep.join([*map(str, PLACES), os.environ.get("PATH", "")]))
    if not found:
        raise MissingError(f"{name} is not at hand: {mend}")
    return found


def run(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Exit code, output and errors of a command in `folder`."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def complaints(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> list[str]:
    """What a program that ends with 0 where all is well says otherwise."""
    code, out, err = run(command, folder, environment)
    return [] if code == 0 else [line for line in (out + err).splitlines() if line.strip()]

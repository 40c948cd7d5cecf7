"""Run a command in a container as a strict cluster would."""

import os
import subprocess
from pathlib import Path

USER = os.getuid() or 12345
"""Not root, and a user whom no image knows."""

HARDENED = [
    *("--read-only", "--tmpfs", "/tmp", "--user", f"{USER}:{USER}", "--network", "none"),
    *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
]


def attempt(image: str, *command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a new container that sees, and works in, `folder` alone."""
    mount = ["--volume", f"{folder}:/work", "--workdir", "/work"] if folder else []
    words = ["docker", "run", "--pull", "never", "--rm", "--init", *HARDENED, *mount, image, *command]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def run(image: str, *command: str, folder: Path | None = None) -> str:
    """What the command, which has to succeed, prints."""
    done = attempt(image, *command, folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout

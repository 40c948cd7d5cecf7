"""How long each stage took: `ferflow run` reads it off the lines in which DVC says what it does.

A time belongs to one run of a stage. It is kept with a digest of what dvc.lock says of that run, so that it is not
taken for the time of a later one, which a plain `dvc repro` made.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

FILE = Path("results") / "times.json"

STARTED = re.compile(r"Running stage '(?:[^']*:)?([^':]+)':")
ENDED = re.compile(r"(?:Updating|Generating) lock file|Running stage '|Stage '|Use `dvc push`")
"""What comes after a stage that went well; dvc.lock is written only where it changes."""


class Clock:
    """Listens to what `dvc repro` prints, line by line."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds: dict[str, float] = {}
        """of each stage that ran to its end: its process, and DVC's hashing of what it wrote"""
        self._now = now
        self._running: tuple[str, float] | None = None

    def hear(self, line: str) -> None:
        """Take note of a line."""
        if self._running and ENDED.match(line):
            name, started = self._running
            self.seconds[name] = round(self._now() - started, 1)
            self._running = None
        if found := STARTED.match(line):
            self._running = found[1], self._now()


def keep(folder: Path, seconds: Mapping[str, float]) -> None:
    """Write the `seconds` of stages that ran beside the times that are known already of others of the job."""
    if seconds:
        lock = read_lock(folder)
        known = _read(folder) | {name: {"seconds": one, "run": digest(lock[name])} for name, one in seconds.items()}
        (folder / FILE).write_text(json.dumps(dict(sorted(known.items())), indent=2) + "\n")


def of_runs(folder: Path, lock: Mapping[str, Any]) -> dict[str, float]:
    """Seconds of each stage whose last run, by the `lock`, was timed."""
    return {
        name: entry["seconds"]
        for name, entry in _read(folder).items()
        if name in lock and entry["run"] == digest(lock[name])
    }


def read_lock(folder: Path) -> dict[str, Any]:
    """What dvc.lock says of the last run of each stage; nothing where none ran."""
    path = folder / "dvc.lock"
    document = yaml.load(path.read_text(), Loader=yaml.CSafeLoader) if path.is_file() else {}
    stages: dict[str, Any] = document.get("stages", {})
    return stages


def digest(run: Mapping[str, Any]) -> str:
    """Sha256 of what dvc.lock says of one stage."""
    return hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()


def _read(folder: Path) -> dict[str, Any]:
    path = folder / FILE
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found

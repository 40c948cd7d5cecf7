"""What a run's outputs say, without what no two runs share: times, and what follows from a model file's date."""

import csv
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TIMES = {"seconds", "images_per_second"}
CANDIDATE = {"version", "candidate", "champion", "store", "current_model"}
"""Digests and versions in what push-model writes."""


def of(folder: Path, *stages: str) -> dict[str, Any]:
    """Content of each output of the stages (default: all) below `folder`, by its path; what the run adds is none."""
    files = (
        path
        for kind in ("results", "artifacts")
        for path in sorted((folder / kind).rglob("*"))
        if path.is_file() and len(parts := path.relative_to(folder).parts) > 2 and parts[1] != "docker"
    )
    found = {path.relative_to(folder): path for path in files}
    return {
        str(name): READERS.get(path.suffix, _digest)(path)
        for name, path in found.items()
        if not stages or name.parts[1] in stages
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _arrays(path: Path) -> dict[str, tuple[Any, ...]]:
    """Bit for bit, but not the zip's own dates."""
    with np.load(path) as arrays:
        return {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}


def _weights(path: Path) -> str:
    """The weights bit for bit: beside them a .keras file has its date and addresses in memory."""
    with zipfile.ZipFile(path) as model:
        return hashlib.sha256(model.read("model.weights.h5")).hexdigest()


def _table(path: Path) -> list[dict[str, str]]:
    rows = csv.DictReader(path.read_text().splitlines())
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


def _figures(path: Path) -> Any:
    dropped = TIMES | (CANDIDATE if "push-model" in path.parts else set())
    return {key: value for key, value in json.loads(path.read_text()).items() if key not in dropped}


READERS: dict[str, Callable[[Path], Any]] = {".npz": _arrays, ".keras": _weights, ".csv": _table, ".json": _figures}

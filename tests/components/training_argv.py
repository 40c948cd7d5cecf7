"""A small prepared data set, and the argv of the trainings on it."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from components.fer import prepared
from components.fer.dataset import SPLITS, Faces, Prepared, Split
from tests.components.fer.conftest import SMALL


def few_splits(made: Faces) -> Prepared:
    """64 training, 14 validation and 14 test images."""
    rows = {"training": range(64), "public": range(560, 574), "private": range(630, 644)}
    row = {name: np.array(rows[name], np.int32) for name in SPLITS}
    return {name: Split(made.images[row[name], ..., None], made.label[row[name]], row[name]) for name in SPLITS}


def write_few(made: Faces, folder: Path) -> Path:
    """The prepared data set as a pickle."""
    path = folder / "prepared.pickle"
    prepared.write_pickle(few_splits(made), path)
    return path


def argv(data: Path, folder: Path, **changes: object) -> list[str]:
    """Options of a training of one epoch on `data`, with its outputs in `folder`."""
    values = {**SMALL, "epochs": 1, "data": data, **changes}
    places = {name: folder / name for name in ("model_keras", "history_csv", "metrics_json")}
    return [
        word for name, value in {**values, **places}.items() for word in (f"--{name.replace('_', '-')}", str(value))
    ]


def run(stage: str, options: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a training stage as a process."""
    command = [sys.executable, "-m", f"components.{stage}", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)

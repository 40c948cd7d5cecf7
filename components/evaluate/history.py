"""What a training wrote down, epoch by epoch."""

import csv
from collections.abc import Sequence
from pathlib import Path

from components.fer.errors import InputError

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")

History = dict[str, Sequence[float]]
"""One value an epoch for each of `COLUMNS`; accuracies are shares, losses are in nats."""


def read(path: Path) -> History:
    """Read the history.csv of a training. Raises `InputError` where it is none."""
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        history: History = {name: [float(row[name]) for row in rows] for name in COLUMNS}
    except (OSError, KeyError, ValueError, TypeError) as error:
        expected = f"expected a csv with numbers in the columns {', '.join(COLUMNS)}"
        raise InputError(f"history {path}: {expected}.", "Run the training again: it writes this file.") from error
    if not rows:
        raise InputError(f"history {path}: expected at least one epoch, found none.", "Run the training again.")
    return history


def kept_epoch(history: History) -> int:
    """Position of the epoch whose weights a training keeps: the first with the best PublicTest accuracy."""
    accuracy = history["val_accuracy"]
    return max(range(len(accuracy)), key=accuracy.__getitem__)

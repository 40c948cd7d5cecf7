"""Votes of FER+ (Barsoum et al. 2016): ten people looked at each image of FER2013 again."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EXPRESSIONS, USAGES, Split
from components.fer.errors import InputError

VOTES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
"""Columns of fer2013new.csv that hold votes; NF is "not a face"."""

NAMES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""What FER+ calls `EXPRESSIONS`, in their order."""

NONE = -1

AGREEMENT = 0.4
"""Least share of images whose majority is their label: seven tenths in the votes' own order, a fifth in any other."""

ENOUGH = 100
"""Images with a majority from which such a share says something."""

MEND = (
    "Take fer2013new.csv as FER+ publishes it, or set {parameter} to '' where the data set is not FER2013 "
    "in its official split."
)


def read_majority(path: Path, count: int, splits: Sequence[Split]) -> NDArray[np.int64]:
    """The FER+ majority of each image of a source with `count` images: (count,), -1 where there is none.

    FER+ joins by the order of rows, not by its image names. At the rows of `splits`, one for each of `USAGES`, its
    Usage column must agree and its majorities by and large. Raises `InputError` where the file is not FER+ votes for
    this very data set.
    """
    mend = MEND.format(parameter="evaluate.ferplus")
    votes, usages = _read(path, mend)
    if len(votes) != count:
        raise InputError(
            f"FER+ votes {path}: expected {count:,} rows as in the data set, received {len(votes):,}.", mend
        )
    voted = majority(votes)
    for usage, split in zip(USAGES, splits, strict=True):
        _check(path, usages, voted, usage, split, mend)
    return voted


def read_soft_labels(path: Path, training: Split) -> NDArray[np.float32]:
    """The soft labels of FER+ for images of Training: float32 (N, 7), in the order of `EXPRESSIONS`; a row sums to 1.

    The label stands in where nobody voted for an expression. FER+ joins by the order of rows, so `training` may be
    any selection of FER2013's Training. Raises `InputError` where the file is not FER+ votes, or a row of it not of
    Training.
    """
    mend = MEND.format(parameter="training.soft_labels")
    votes, usages = _read(path, mend)
    if len(training) and training.row.max() >= len(votes):
        raise InputError(
            f"FER+ votes {path}: expected a row for each image of the data set, received {len(votes):,} rows, "
            f"none for image {training.row.max() + 1:,}.",
            mend,
        )
    _check(path, usages, majority(votes), USAGES[0], training, mend)
    soft = soft_labels(votes[training.row])
    return np.where(np.isnan(soft), np.eye(len(EXPRESSIONS), dtype=np.float32)[training.label], soft)


def majority(votes: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Index into `EXPRESSIONS` of what more than half of an image's votes (N, 10, as in `VOTES`) say.

    -1 where no answer has such a majority, or one that is no expression of FER2013 (contempt, unknown, not a face).
    """
    index = np.array([NAMES.index(name) if name in NAMES else NONE for name in VOTES])
    decided = 2 * votes.max(axis=1) > votes.sum(axis=1)
    return np.where(decided, index[votes.argmax(axis=1)], NONE)


def soft_labels(votes: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Share of each of `EXPRESSIONS` in an image's votes (N, 10, as in `VOTES`) for them: float32 (N, 7).

    Votes for contempt, unknown, and not a face do not count; NaN where there are no others.
    """
    counted = votes[:, [VOTES.index(name) for name in NAMES]].astype(np.float32)
    total = counted.sum(axis=1, keepdims=True)
    shares = np.full_like(counted, np.nan)
    np.divide(counted, total, out=shares, where=total > 0)
    return shares


def _read(path: Path, mend: str) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Read the votes (N, 10), as in `VOTES`, and the Usage (N,) of each image."""
    try:
        with path.open(newline="", encoding="ascii") as file:
            lines = list(csv.DictReader(file))
        votes = np.array([[int(line[name]) for name in VOTES] for line in lines], dtype=np.int64)
        usages = np.array([line["Usage"] for line in lines])
    except OSError as error:
        raise InputError(f"FER+ votes {path}: {error.strerror}.", mend) from error
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"FER+ votes {path}: expected columns Usage and {', '.join(VOTES)} of counts.", mend
        ) from error
    return votes, usages


def _check(path: Path, usages: NDArray[np.str_], voted: NDArray[np.int64], usage: str, split: Split, mend: str) -> None:
    """Refuse votes whose Usage is not that of the images of `split`, or whose majority `voted` is of other images."""
    other = np.flatnonzero(usages[split.row] != usage)
    if other.size:
        line = split.row[other[0]]
        raise InputError(f"FER+ votes {path}: row {line + 1:,} is of {usages[line]}, in the data set of {usage}.", mend)
    decided = voted[split.row] != NONE
    agreed = (voted[split.row] == split.label)[decided]
    if agreed.size >= ENOUGH and agreed.mean() < AGREEMENT:
        raise InputError(
            f"FER+ votes {path}: expected the majority to be the label of seven in ten of {usage}, received "
            f"{100 * agreed.mean():.0f} %: the images are in another order than FER2013's own csv has them.",
            mend,
        )

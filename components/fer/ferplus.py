"""Votes of FER+ (Barsoum et al. 2016): ten people looked at each image of FER2013 again.

They join by the order of rows, not by FER+'s image names: with FER2013 as its csv has it; or, where the votes have
become the labels (components/validate/votes.py), with those of its images that have a majority.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EIGHT, USAGES, Faces, Split
from components.fer.errors import InputError

VOTES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
"""Columns of fer2013new.csv that hold votes; NF is "not a face"."""

NAMES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt")
"""What FER+ calls the expressions, in the order of `EIGHT`."""

NONE = -1

AGREEMENT = 0.4
"""Least share of images whose majority is their label: seven tenths in the votes' own order, a fifth in any other."""

ENOUGH = 100
"""Images with a majority from which such a share says something."""

MEND = (
    "Take fer2013new.csv as FER+ publishes it, or set {parameter} to '' where the data set is not FER2013 "
    "in its official split."
)


def read_answers(path: Path, faces: Faces) -> NDArray[np.int64]:
    """What more than half of the votes for each image of FER2013 say: (N,), index into `VOTES`, -1 where none does.

    Raises `InputError` where the file is not FER+ votes for this very data set.
    """
    mend = MEND.format(parameter="data.ferplus")
    votes, usages = read(path, len(faces), mend)
    for number, usage in enumerate(USAGES):
        row = np.flatnonzero(faces.usage == number)
        _check(path, usages, majority(votes, len(EIGHT)), usage, row, faces.label[row], mend)
    return answers(votes)


def read_majority(path: Path, count: int, splits: Sequence[Split]) -> NDArray[np.int64]:
    """The FER+ majority of each image of a source with `count` images: (count,), index into `EIGHT`, -1 for none.

    At the rows of `splits`, one for each of `USAGES`, the votes' Usage column must agree and their majorities by and
    large. Raises `InputError` where the file is not FER+ votes for this very data set.
    """
    mend = MEND.format(parameter="evaluate.ferplus")
    votes, usages = read(path, count, mend)
    voted = majority(votes, len(EIGHT))
    for usage, split in zip(USAGES, splits, strict=True):
        _check(path, usages, voted, usage, split.row, split.label, mend)
    return voted


def read_soft_labels(path: Path, training: Split, expressions: int) -> NDArray[np.float32]:
    """The soft labels of FER+ for images of Training: float32 (N, `expressions`), in the order of `EIGHT`.

    A row sums to 1; the label stands in where nobody voted for an expression. `training` may be any selection of
    FER2013's Training, with its own labels or with the votes' majorities. Raises `InputError` where the file is not
    FER+ votes, or a row of it not of Training.
    """
    mend = MEND.format(parameter="training.soft_labels")
    votes, usages = read(path, None, mend)
    voted = majority(votes, expressions)
    row = _rows(voted, training)
    if len(row) and row.max() >= len(votes):
        raise InputError(
            f"FER+ votes {path}: expected a row for each image of the data set, received {len(votes):,} rows, "
            f"none for image {row.max() + 1:,}.",
            mend,
        )
    _check(path, usages, voted, USAGES[0], row, training.label, mend)
    soft = soft_labels(votes[row], expressions)
    return np.where(np.isnan(soft), np.eye(expressions, dtype=np.float32)[training.label], soft)


def answers(votes: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Index into `VOTES` of what more than half of an image's votes (N, 10) say: (N,), -1 where none does."""
    decided = 2 * votes.max(axis=1) > votes.sum(axis=1)
    return np.where(decided, votes.argmax(axis=1), NONE)


def majority(votes: NDArray[np.integer[Any]], expressions: int) -> NDArray[np.int64]:
    """Index into `EIGHT` of what more than half of an image's votes (N, 10, as in `VOTES`) say.

    -1 where no answer has such a majority, or one that is none of the first `expressions` of them.
    """
    return labels(answers(votes), expressions)


def labels(answers: NDArray[np.int64], expressions: int) -> NDArray[np.int64]:
    """Index into the first `expressions` of `EIGHT`, -1 for any other, of indices into `VOTES` or -1 (N,): (N,)."""
    names = NAMES[:expressions]
    index = np.array([names.index(name) if name in names else NONE for name in VOTES] + [NONE])
    return index[answers]


def soft_labels(votes: NDArray[np.integer[Any]], expressions: int) -> NDArray[np.float32]:
    """Share of each of the first `expressions` of `EIGHT` in an image's votes (N, 10, as in `VOTES`) for them.

    float32 (N, `expressions`). Votes for anything else do not count; NaN where there are no others.
    """
    counted = votes[:, [VOTES.index(name) for name in NAMES[:expressions]]].astype(np.float32)
    total = counted.sum(axis=1, keepdims=True)
    shares = np.full_like(counted, np.nan)
    np.divide(counted, total, out=shares, where=total > 0)
    return shares


def read(path: Path, count: int | None, mend: str) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Read the votes (N, 10), as in `VOTES`, and the Usage (N,) of each image.

    Raises `InputError`, which ends with `mend`, where they are none, or not those of `count` images.
    """
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
    if count is not None and len(votes) != count:
        raise InputError(
            f"FER+ votes {path}: expected {count:,} rows as in the data set, received {len(votes):,}.", mend
        )
    return votes, usages


def _rows(voted: NDArray[np.int64], split: Split) -> NDArray[np.int64]:
    """The row of the votes for each image of `split`, by their majorities `voted`.

    Where the labels are the votes' own, as none of FER2013's are, its rows count the images with a majority.
    """
    kept = np.flatnonzero(voted != NONE)
    row = split.row.astype(np.int64)
    own = len(row) and row.max() < len(kept) and (voted[kept[row]] == split.label).all()
    return kept[row] if own else row


def _check(
    path: Path,
    usages: NDArray[np.str_],
    voted: NDArray[np.int64],
    usage: str,
    row: NDArray[np.integer[Any]],
    label: NDArray[np.uint8],
    mend: str,
) -> None:
    """Refuse votes whose Usage at `row` (N,) is not `usage`, or whose majority `voted` is of images of other labels."""
    other = np.flatnonzero(usages[row] != usage)
    if other.size:
        line = row[other[0]]
        raise InputError(f"FER+ votes {path}: row {line + 1:,} is of {usages[line]}, in the data set of {usage}.", mend)
    decided = voted[row] != NONE
    agreed = (voted[row] == label)[decided]
    if agreed.size >= ENOUGH and agreed.mean() < AGREEMENT:
        raise InputError(
            f"FER+ votes {path}: expected the majority to be the label of seven in ten of {usage}, received "
            f"{100 * agreed.mean():.0f} %: the images are in another order than FER2013's own csv has them.",
            mend,
        )

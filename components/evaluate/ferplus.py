"""Votes of FER+ (Barsoum et al. 2016): ten people looked at each image of FER2013 again."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EXPRESSIONS, USAGES
from components.fer.errors import InputError

VOTES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
"""Columns of fer2013new.csv that hold votes; NF is "not a face"."""

OF_EXPRESSION = dict(
    zip(("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"), EXPRESSIONS, strict=True)
)
NONE = -1
MEND = "Take fer2013new.csv as FER+ publishes it, or set evaluate.ferplus to '' where the data set is not FER2013."


def read_majority(path: Path, count: int, row: NDArray[np.int32], usage: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """The FER+ majority of each image of a source with `count` images: (count,), -1 where there is none.

    FER+ joins by the order of rows, not by its image names. Its Usage column must agree with `usage` (N,), an index
    into `USAGES`, at the rows `row` (N,). Raises `InputError` where the file is not FER+ votes for this very data set.
    """
    try:
        with path.open(newline="", encoding="ascii") as file:
            lines = list(csv.DictReader(file))
        votes = np.array([[int(line[name]) for name in VOTES] for line in lines], dtype=np.int64)
        usages = np.array([line["Usage"] for line in lines])
    except OSError as error:
        raise InputError(f"FER+ votes {path}: {error.strerror}.", MEND) from error
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"FER+ votes {path}: expected columns Usage and {', '.join(VOTES)} of counts.", MEND
        ) from error
    if len(votes) != count:
        raise InputError(
            f"FER+ votes {path}: expected {count:,} rows as in the data set, received {len(votes):,}.", MEND
        )
    other = np.flatnonzero(usages[row] != np.array(USAGES)[usage])
    if other.size:
        line = row[other[0]]
        raise InputError(
            f"FER+ votes {path}: row {line + 1:,} is of {usages[line]}, in the data set of {USAGES[usage[other[0]]]}.",
            MEND,
        )
    return majority(votes)


def majority(votes: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Index into `EXPRESSIONS` of what more than half of an image's votes (N, 10, as in `VOTES`) say.

    -1 where no answer has such a majority, or one that is no expression of FER2013 (contempt, unknown, not a face).
    """
    index = np.array([EXPRESSIONS.index(OF_EXPRESSION[name]) if name in OF_EXPRESSION else NONE for name in VOTES])
    decided = 2 * votes.max(axis=1) > votes.sum(axis=1)
    return np.where(decided, index[votes.argmax(axis=1)], NONE)

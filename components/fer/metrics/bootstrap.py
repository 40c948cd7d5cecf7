"""How far a figure would move with another sample of the same kind: intervals by bootstrap over groups of copies.

Copies of one photograph are no independent draws, so whole groups are resampled (cluster bootstrap: Davison and
Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EXPRESSIONS
from components.fer.metrics.scores import Counts, Floats, Labels

LEVEL = 0.95


class Interval(NamedTuple):
    """Bounds between which 95 % of the resampled figures lie."""

    low: float
    high: float


def resampled_confusions(
    label: Labels, prediction: Labels, group: NDArray[np.integer[Any]], resamples: int, seed: int
) -> Counts:
    """Confusion counts (resamples, 7, 7) of samples that draw as many groups as there are, with replacement.

    `group` (N,) is equal exactly for images that belong together. Groups with the same counts are interchangeable, so
    it is enough to draw how often each kind of group comes: a hundred kinds instead of thousands of groups.
    """
    side = len(EXPRESSIONS)
    names, place = np.unique(group, return_inverse=True)
    counts = np.zeros((len(names), side * side), np.int64)
    np.add.at(counts, (place, label.astype(np.int64) * side + prediction), 1)
    kinds, groups = np.unique(counts, axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), groups / len(names), size=resamples)
    # In floating point, as NumPy multiplies integer matrices without BLAS; exact up to 2**53.
    confusions = drawn.astype(np.float64) @ kinds.astype(np.float64)
    return confusions.astype(np.int64).reshape(resamples, side, side)


def percentile_interval(figures: Floats) -> Interval:
    """The middle 95 % of resampled figures (resamples,)."""
    low, high = np.quantile(figures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))

"""How far a figure would move with another sample of the same kind: intervals by bootstrap over groups of copies.

Copies of one photograph are no independent draws, so whole groups are resampled (cluster bootstrap: Davison and
Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8).
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.fer.metrics import scores
from components.fer.metrics.scores import Counts, Floats, Labels

Groups = NDArray[np.integer[Any]]
"""(N,), equal exactly for images that belong together"""

LEVEL = 0.95


class Interval(NamedTuple):
    """Bounds between which 95 % of the resampled figures lie."""

    low: float
    high: float


class Difference(NamedTuple):
    """By how much a figure of one model is above another's."""

    value: float
    """on the images themselves"""
    low: float
    """bounds of the interval of 95 %"""
    high: float


def resampled_confusions(
    label: Labels, prediction: Labels, expressions: int, group: Groups, resamples: int, seed: int
) -> Counts:
    """Confusion counts (resamples, E, E) of samples that draw as many groups as there are, with replacement.

    E is the number of `expressions`, 7 or 8.
    """
    return _resampled((label, prediction), expressions, group, resamples, seed)


def macro_f1_difference(
    label: Labels, first: Labels, second: Labels, expressions: int, group: Groups, resamples: int, seed: int
) -> Difference:
    """By how much the macro F1 of the first of two models is above the second's on the same images.

    Each sample draws the same groups for both models, so what is easy or hard for both does not widen the interval.
    """
    counts = _resampled((label, first, second), expressions, group, resamples, seed)
    drawn = scores.macro_f1(counts.sum(axis=3)) - scores.macro_f1(counts.sum(axis=2))
    confusions = (scores.confusion_matrix(label, prediction, expressions) for prediction in (first, second))
    here = [float(scores.macro_f1(confusion)) for confusion in confusions]
    return Difference(here[0] - here[1], *percentile_interval(drawn))


def _resampled(answers: Sequence[Labels], expressions: int, group: Groups, resamples: int, seed: int) -> Counts:
    """How many images of each sample have each combination of `answers`: (resamples, E, E ...), an axis for each.

    Groups with the same counts are interchangeable, so it is enough to draw how often each kind of group comes: a
    hundred kinds instead of thousands of groups.
    """
    shape = (expressions,) * len(answers)
    cell = np.ravel_multi_index([answer.astype(np.int64) for answer in answers], shape)
    names, place = np.unique(group, return_inverse=True)
    counts = np.zeros((len(names), math.prod(shape)), np.int64)
    np.add.at(counts, (place, cell), 1)
    kinds, groups = np.unique(counts, axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), groups / len(names), size=resamples)
    # In floating point, as NumPy multiplies integer matrices without BLAS; exact up to 2**53.
    resampled = drawn.astype(np.float64) @ kinds.astype(np.float64)
    return resampled.astype(np.int64).reshape(resamples, *shape)


def percentile_interval(figures: Floats) -> Interval:
    """The middle 95 % of resampled figures (resamples,)."""
    low, high = np.quantile(figures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))

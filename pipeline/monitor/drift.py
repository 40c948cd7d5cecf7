"""How far a window of images is from a reference, and how far chance alone takes it.

Of each measured figure the distance is Kolmogorov's and Smirnov's: the greatest difference of the two distribution
functions; of the answered expressions it is Jensen's and Shannon's. Both are 0 for equal samples and 1 at most.

The limits come from the reference itself: windows are drawn from it, and each is held to the images that were not
drawn. Each figure gets the limit at which it alone would alarm as often as any other, such that all together alarm in a
share `alpha` of these windows (Westfall and Young, "Resampling-Based Multiple Testing", 1993, chapter 2: the
distribution of the least p of all tests, which knows how much they depend on each other). SciPy has such tests one by
one, too slowly to draw thousands of windows; the tests hold the distances to it.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import rankdata

from components.fer.metrics.scores import Floats
from pipeline.monitor.sample import FIGURES, Sample

DRAWS = 10_000
"""windows behind the limits: the share that alarms is then known to a tenth of a point"""

SEED = 1

LEAST = 0.02
"""Least limit: two images in a hundred call for no retraining, though a reference whose images are all alike in a
figure (no clipped pixel in any) would be left by one image alone."""


class Pool:
    """Images that are parted in two again and again, sorted once."""

    def __init__(self, sample: Sample) -> None:
        self._expression, self._expressions = sample.expression, sample.expressions
        self._order = np.argsort(values := sample.values.T, axis=1)
        ordered = np.take_along_axis(values, self._order, axis=1)
        # A distribution function takes its step after the last of equal values.
        self._steps = np.hstack((ordered[:, 1:] != ordered[:, :-1], np.full((len(values), 1), True)))
        self._place = np.arange(1, len(sample) + 1)

    def distances(self, chosen: NDArray[np.bool_]) -> Floats:
        """How far the chosen images are from the others, (7,) in the order of `FIGURES`; neither may be none."""
        below = np.cumsum(chosen[self._order], axis=1, dtype=np.int32)
        mine = int(np.count_nonzero(chosen))
        apart = np.abs(below / mine - (self._place - below) / (len(chosen) - mine))
        shares = [np.bincount(self._expression[part], minlength=self._expressions) for part in (chosen, ~chosen)]
        return np.array([*np.max(apart, axis=1, where=self._steps, initial=0), jensenshannon(*shares, base=2)])


def distances(reference: Sample, window: Sample) -> Floats:
    """How far a window is from a reference, (7,) in the order of `FIGURES`; neither may be empty."""
    chosen = np.arange(len(reference) + len(window)) >= len(reference)
    return Pool(reference.and_(window)).distances(chosen)


@dataclass(frozen=True, eq=False)
class Calibration:
    """How far windows are from the reference that they were drawn from."""

    drawn: Floats
    """(draws, 7), in the order of `FIGURES`"""

    @cached_property
    def _rarity(self) -> NDArray[np.int64]:
        """For each window the least number, over figures, of windows that are as far or farther: (draws,), sorted."""
        as_far: NDArray[np.int64] = rankdata(-self.drawn, method="max", axis=0).astype(np.int64)
        return np.sort(as_far.min(axis=1))

    def limits(self, alpha: float) -> Floats:
        """Distances (7,) that at least one figure exceeds in at most a share `alpha` of the drawn windows."""
        allowed = math.floor(alpha * len(self.drawn))
        rank = self._rarity[min(allowed, len(self.drawn) - 1)]
        limits: Floats = np.maximum(np.sort(self.drawn, axis=0)[-rank], LEAST)
        return limits


def calibrate(reference: Sample, window: int, draws: int = DRAWS, seed: int = SEED) -> Calibration:
    """Draw windows of so many images from the reference, and hold each to the images that were not drawn.

    The window is at most half of the reference. A served window is held to all of it, and so is a little nearer.
    """
    pool, random = Pool(reference), np.random.default_rng(seed)
    drawn = np.empty((draws, len(FIGURES)))
    for row in drawn:
        chosen = np.zeros(len(reference), bool)
        chosen[random.choice(len(reference), window, replace=False, shuffle=False)] = True
        row[:] = pool.distances(chosen)
    return Calibration(drawn)

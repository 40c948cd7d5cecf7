"""Whether one of two models is better on the same images: McNemar's exact test.

Among the images that exactly one of the two gets right, each is a coin's toss if they are equally good (Q. McNemar,
Psychometrika 12, 1947; exact form: the binomial test).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats


class Discordant(NamedTuple):
    """The images that exactly one of two models gets right, and what chance says of them."""

    gained: int
    """images that the first alone gets right"""
    lost: int
    """images that the second alone gets right"""
    p_better: float
    """one-sided p: so many gained by chance alone, were the two equally good"""
    p_worse: float
    """the same for so many lost"""


def exact_test(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Discordant:
    """Compare two models by which images, (N,) each, they get right."""
    if first.shape != second.shape:
        raise ValueError(f"expected the same images for both, received {first.shape} and {second.shape}")
    gained, lost = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    return Discordant(gained, lost, one_sided(gained, lost), one_sided(lost, gained))


def one_sided(wins: int, losses: int) -> float:
    """Probability of at least `wins` heads in `wins + losses` tosses of a fair coin."""
    if wins + losses == 0:
        return 1.0
    return float(stats.binomtest(wins, wins + losses, alternative="greater").pvalue)

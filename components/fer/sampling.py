"""Draws images by seed in the proportions of their expressions."""

import numpy as np
from numpy.typing import NDArray


def stratified(label: NDArray[np.uint8], count: int, seed: int) -> NDArray[np.bool_]:
    """Draw `count` of the images with these labels (N,): bool (N,), true for exactly min(count, N) of them.

    Of each label it draws its share, rounded up or down: the images stand in a row, label after label and by chance
    within one, and those at equal distances are drawn (systematic sampling; Cochran, "Sampling Techniques", 8.1).
    """
    total = len(label)
    by_label = np.lexsort((np.random.default_rng(seed).permutation(total), label))
    steps = np.arange(total + 1) * min(count, total) // max(total, 1)
    drawn = np.zeros(total, np.bool_)
    drawn[by_label] = np.diff(steps) > 0
    return drawn

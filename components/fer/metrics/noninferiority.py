"""Whether one of two models is at most a margin worse on the same images: the score test for paired proportions.

T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
Statistics in Medicine 17, 1998. Without a margin it would be McNemar's test in its approximate form.
"""

import math

from scipy import stats


def score_test(gained: int, lost: int, images: int, margin: float) -> float:
    """One-sided p: so little lost by chance alone, were the first model's accuracy `margin` (0..1) below the second's.

    `gained` and `lost` are the images, of so many compared, that the first or the second alone gets right.
    Raises `ValueError` where the margin is not between 0 and 1.
    """
    if not 0 < margin < 1:
        raise ValueError(f"expected a margin between 0 and 1, received {margin}")
    # The likeliest share of images that the second alone gets right, were the difference exactly -margin: the greater
    # root of 2n x^2 + linear x + constant.
    linear = -gained - lost - (2 * images - gained + lost) * margin
    constant = lost * margin * (margin + 1)
    share = (math.sqrt(linear**2 - 8 * images * constant) - linear) / (4 * images)
    deviation = math.sqrt(images * (2 * share - margin * (margin + 1)))
    return float(stats.norm.sf((gained - lost + images * margin) / deviation))

"""Arithmetic by which published figures are checked, each named by what it gives; all take and give plain numbers.

Shares are 0..1. What the papers print is checked with these alone where no training is needed to do so.
"""

from collections.abc import Callable, Sequence

EXPRESSIONS = 7
IMAGENET_CLASSES = 1000
BYTES_A_PARAMETER = 4  # float32
MEBIBYTE = 2**20


def value(of: float) -> float:
    """The figure as it was measured."""
    return of


def share(part: float, whole: float) -> float:
    """Part of a whole."""
    return part / whole


def difference(of: float, less: float) -> float:
    """What `of` has more than `less`."""
    return of - less


def nearest_share(figure: float, whole: float) -> float:
    """The share nearest to `figure` that a number of images out of `whole` can give."""
    return round(figure * whole) / whole


def mean(of: Sequence[float | None]) -> float:
    """Mean of the figures that there are."""
    found = [one for one in of if one is not None]
    return sum(found) / len(found)


def weighted_mean(of: Sequence[float], weights: Sequence[float]) -> float:
    """Accuracy where `of` are the recalls of all expressions and `weights` their supports."""
    return sum(one * weight for one, weight in zip(of, weights, strict=True)) / sum(weights)


def f1(precision: float, recall: float) -> float:
    """Harmonic mean of precision and recall."""
    return 2 * precision * recall / (precision + recall)


def binary_accuracy(precision: float, recall: float) -> float:
    """Share of the one-hot cells on the right side of 0.5, from precision and recall of the answers above 0.5.

    Of an image's seven cells, one is missed in (1 - recall) and recall * (1 / precision - 1) are claimed wrongly.
    """
    return 1 - (recall * (1 / precision - 1) + (1 - recall)) / EXPRESSIONS


def with_imagenet_classes(parameters: float, features: float) -> float:
    """Parameters of a network with one dense layer behind `features`, had it ImageNet's classes instead of seven."""
    return parameters + (IMAGENET_CLASSES - EXPRESSIONS) * (features + 1)


def mebibytes_with_imagenet_classes(mebibytes: float, features: float) -> float:
    """Size of such a network's file, had it ImageNet's classes."""
    return mebibytes + (IMAGENET_CLASSES - EXPRESSIONS) * (features + 1) * BYTES_A_PARAMETER / MEBIBYTE


FORMULAS: dict[str, Callable[..., float]] = {
    formula.__name__: formula
    for formula in (
        value,
        share,
        difference,
        nearest_share,
        mean,
        weighted_mean,
        f1,
        binary_accuracy,
        with_imagenet_classes,
        mebibytes_with_imagenet_classes,
    )
}
"""By the name that claims.yaml calls them."""

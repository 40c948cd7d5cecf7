"""Arithmetic by which published figures are checked, each named by what it gives; all take and give plain numbers.

Shares are 0..1. What the papers print is checked with these alone where no training is needed to do so.
"""

from collections.abc import Callable, Sequence

from components.fer import backend

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


def distance(of: float, to: float) -> float:
    """How far apart two figures are, whichever is the greater."""
    return abs(of - to)


def total(one: float, other: float) -> float:
    """Both together."""
    return one + other


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


def with_imagenet_classes(parameters: float, features: float, classes: Sequence[object]) -> float:
    """Parameters of a network with one dense layer behind `features`, had it ImageNet's classes, not its own."""
    return parameters + (IMAGENET_CLASSES - len(classes)) * (features + 1)


def mebibytes_with_imagenet_classes(mebibytes: float, features: float, classes: Sequence[object]) -> float:
    """Size of such a network's file, had it ImageNet's classes."""
    a_mebibyte = MEBIBYTE / BYTES_A_PARAMETER
    return with_imagenet_classes(mebibytes * a_mebibyte, features, classes) / a_mebibyte


def epoch_of_halving(accuracies: Sequence[float], patience: float, halvings: float) -> float:
    """First epoch (from 1) whose rate was halved so often, each time behind `patience` epochs without a better one."""
    with backend.quiet_import():
        from components.fer.optimizer import plateaus  # the rule by which a training of ours does it; it needs Keras

    done = range(len(accuracies))
    return next(epoch + 1 for epoch in done if plateaus(accuracies[:epoch], int(patience)) == halvings)


FORMULAS: dict[str, Callable[..., float]] = {
    formula.__name__: formula
    for formula in (
        value,
        share,
        difference,
        distance,
        total,
        nearest_share,
        mean,
        weighted_mean,
        f1,
        binary_accuracy,
        with_imagenet_classes,
        mebibytes_with_imagenet_classes,
        epoch_of_halving,
    )
}
"""By the name that claims.yaml calls them."""

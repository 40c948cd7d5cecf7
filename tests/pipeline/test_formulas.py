"""Arithmetic on published figures, against its definitions."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.fer.metrics import scores
from pipeline import formulas

SHARES = st.floats(0.01, 1)


def test_a_claim_can_name_each_formula() -> None:
    assert all(formula.__name__ == name and formula.__doc__ for name, formula in formulas.FORMULAS.items())


@given(SHARES, SHARES)
def test_f1_lies_between_precision_and_recall_and_is_that_of_one_to_itself(one: float, other: float) -> None:
    found = formulas.f1(one, other)
    assert min(one, other) * (1 - 1e-9) <= found <= max(one, other) * (1 + 1e-9)
    assert math.isclose(formulas.f1(one, one), one)


@given(st.integers(0, 3589), st.integers(1, 3589))
def test_a_share_is_nearest_to_itself(part: int, whole: int) -> None:
    assume(part <= whole)
    assert formulas.nearest_share(part / whole, whole) == formulas.share(part, whole)


def test_s1s_best_figure_is_possible_with_whole_batches_alone() -> None:
    assert f"{100 * formulas.nearest_share(0.7430, 3584):.2f}" == "74.30"
    assert f"{100 * formulas.nearest_share(0.7430, 3589):.2f}" == "74.31"


def test_binary_accuracy_follows_from_precision_and_recall() -> None:
    """Against the metric itself, on answers of which some are above 0.5 and some are not."""
    generator = np.random.default_rng(1)
    probabilities = generator.dirichlet(np.full(7, 0.4), size=500)
    label = generator.integers(0, 7, size=500)
    claimed = probabilities > 0.5
    right = claimed[np.arange(500), label].sum()
    measured = scores.binary_accuracy(probabilities, label)
    assert formulas.binary_accuracy(right / claimed.sum(), right / 500) == pytest.approx(measured)


def test_s4s_accuracy_is_the_binary_accuracy_of_its_precision_and_recall() -> None:
    assert formulas.binary_accuracy(0.66, 0.60) == pytest.approx(0.899, abs=0.0005)


def test_weighted_recalls_are_the_accuracy() -> None:
    confusion = np.random.default_rng(1).integers(1, 50, size=(7, 7))
    recalls = scores.recall(confusion).tolist()
    supports = confusion.sum(axis=1).tolist()
    assert formulas.weighted_mean(recalls, supports) == pytest.approx(float(scores.accuracy(confusion)))


def test_a_mean_leaves_out_what_is_not_there() -> None:
    assert formulas.mean([0.5, None, 1.0]) == 0.75


@pytest.mark.parametrize("classes", [7, 8])
def test_a_head_of_a_thousand_classes_has_that_many_more_weights_and_biases(classes: int) -> None:
    extractor, features, here = 1000, 10, [None] * classes
    parameters = extractor + features * classes + classes
    assert formulas.with_imagenet_classes(parameters, features, here) == extractor + features * 1000 + 1000
    more = formulas.mebibytes_with_imagenet_classes(3.0, features, here) - 3.0
    assert more == pytest.approx((1000 - classes) * 11 * 4 / 2**20)


def test_a_distance_has_no_direction() -> None:
    assert formulas.distance(0.497, 0.513) == formulas.distance(0.513, 0.497) == pytest.approx(0.016)


def test_the_rate_is_halved_behind_patience_epochs_without_a_better_one() -> None:
    accuracies = [0.5, 0.6, 0.6, 0.5, 0.7, 0.7, 0.7, 0.7]
    assert formulas.epoch_of_halving(accuracies, 2, 1) == 5  # behind epochs 3 and 4
    assert formulas.epoch_of_halving(accuracies, 2, 2) == 8

import numpy as np
import pytest
from hypothesis import given, settings

from components.fer.metrics import calibration, scores
from tests.components.fer.metrics.strategies import Answers, answers


def test_calibration_error_of_a_worked_example() -> None:
    """Nine answers in 5 bins, gaps weighted by hand.

    (0.4, 0.6]: .58 right, .51 wrong. (0.6, 0.8]: .78 .64 .70 right, .63 wrong. (0.8, 1]: .92 wrong, .85 .83 right.
    So 2/9 * |1/2 - .545| + 4/9 * |3/4 - .6875| + 3/9 * |2/3 - .8667| = 0.10444.
    """
    first = np.array([0.78, 0.36, 0.08, 0.58, 0.49, 0.85, 0.30, 0.63, 0.17])
    label = np.array([0, 1, 0, 0, 0, 0, 1, 1, 1])
    table = calibration.reliability(np.stack([first, 1 - first], axis=1), label, bins=5)
    assert table.count.tolist() == [0, 0, 2, 4, 3]
    np.testing.assert_allclose(table.confidence[2:], [0.545, 0.6875, 2.6 / 3])
    np.testing.assert_allclose(table.accuracy[2:], [1 / 2, 3 / 4, 2 / 3])
    assert calibration.expected_calibration_error(table) == pytest.approx(0.94 / 9)


def test_a_bin_holds_its_upper_edge() -> None:
    table = calibration.reliability(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0]), bins=2)
    assert table.count.tolist() == [1, 1]


def test_temperature_is_found_again() -> None:
    """Labels drawn from probabilities, which are then sharpened by 2.5: scaling must undo that."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 1.5, (20_000, 7))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    label = (random.random((20_000, 1)) > honest.cumsum(axis=1)).sum(axis=1).clip(0, 6)
    sharp = calibration.scaled(honest, 1 / 2.5)
    temperature = calibration.fit_temperature(sharp, label)
    assert temperature == pytest.approx(2.5, rel=0.03)
    before, after = (
        calibration.expected_calibration_error(calibration.reliability(answer, label))
        for answer in (sharp, calibration.scaled(sharp, temperature))
    )
    assert before > 0.15
    assert after < 0.02


def test_a_model_that_is_sure_and_often_wrong_is_softened_all_the_way() -> None:
    """Of 99.99 % each, 70 % right: the scaled confidence is 70 %, however far that is from where it began."""
    label = np.arange(700) % 7
    prediction = np.where(np.arange(700) < 210, (label + 1) % 7, label)
    sure = 0.0001 / 7 + 0.9999 * np.eye(7)[prediction]
    softened = calibration.scaled(sure, calibration.fit_temperature(sure, label))
    np.testing.assert_allclose(softened.max(axis=1), 0.7, atol=1e-4)


def test_cross_fitting_scales_each_image_by_the_other_half_of_the_groups() -> None:
    random = np.random.default_rng(2)
    probabilities, label, group = random.dirichlet(np.ones(7), 400), random.integers(0, 7, 400), np.arange(400) // 2
    crossed = calibration.cross_fitted(probabilities, label, group)
    odd = group % 2 == 1
    for mine in (odd, ~odd):
        temperature = calibration.fit_temperature(probabilities[~mine], label[~mine])
        np.testing.assert_array_equal(crossed[mine], calibration.scaled(probabilities[mine], temperature))
    np.testing.assert_array_equal(calibration.cross_fitted(probabilities, label, np.zeros(400, int)), probabilities)


def test_a_model_that_is_certain_and_right_keeps_its_temperature() -> None:
    label = np.arange(7)
    assert calibration.fit_temperature(np.eye(7, dtype=np.float32), label) == 1


@given(answers())
@settings(deadline=None, max_examples=50)
def test_scaling_changes_no_answer_and_makes_nothing_worse(made: Answers) -> None:
    probabilities, label = made
    temperature = calibration.fit_temperature(probabilities, label)
    scaled = calibration.scaled(probabilities, temperature)
    best = probabilities.max(axis=1)
    assert np.isclose(scaled[np.arange(len(label)), scores.predicted(probabilities)], scaled.max(axis=1)).all()
    assert (scores.predicted(scaled) == scores.predicted(probabilities))[best > 0.5].all()
    assert scores.negative_log_likelihood(scaled, label) <= scores.negative_log_likelihood(probabilities, label) + 1e-9


@given(answers())
@settings(deadline=None)
def test_calibration_error_lies_between_0_and_1_and_every_image_in_one_bin(made: Answers) -> None:
    table = calibration.reliability(*made)
    assert table.count.sum() == len(made[1])
    assert 0 <= calibration.expected_calibration_error(table) <= 1

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from components.fer.metrics import bootstrap, scores

RIGHT, COUNT = 0.7, 1000


def interval(prediction: NDArray[np.int64], group: NDArray[np.int64]) -> bootstrap.Interval:
    label = np.zeros(len(prediction), np.int64)
    drawn = bootstrap.resampled_confusions(label, prediction, 7, group, 10_000, seed=1)
    return bootstrap.percentile_interval(scores.accuracy(drawn))


@pytest.fixture
def prediction() -> NDArray[np.int64]:
    """Answers to 1,000 images, 70 % right, in runs of equal answers."""
    return (np.arange(COUNT) >= RIGHT * COUNT).astype(np.int64)


def test_alone_every_image_gives_the_binomial_interval(prediction: NDArray[np.int64]) -> None:
    low, high = interval(prediction, np.arange(COUNT))
    half = 1.96 * np.sqrt(RIGHT * (1 - RIGHT) / COUNT)
    assert (low, high) == pytest.approx((RIGHT - half, RIGHT + half), abs=0.002)


def test_groups_of_four_copies_double_the_interval(prediction: NDArray[np.int64]) -> None:
    """Four equal answers weigh as one: the standard deviation grows by the root of four."""
    alone = interval(prediction, np.arange(COUNT))
    grouped = interval(prediction, np.arange(COUNT) // 4)
    assert (grouped.high - grouped.low) / (alone.high - alone.low) == pytest.approx(2, rel=0.05)


def test_it_equals_drawing_groups_one_by_one() -> None:
    """The plain way, on a small sample with groups of unequal size: the same mean and spread of every metric."""
    random = np.random.default_rng(2)
    label, prediction = random.integers(0, 7, (2, 120))
    prediction[:60] = label[:60]
    group = random.integers(0, 50, 120)
    fast = bootstrap.resampled_confusions(label, prediction, 7, group, 4000, seed=3)
    members = [np.flatnonzero(group == name) for name in np.unique(group)]
    plain = np.stack(
        [
            scores.confusion_matrix(label[rows], prediction[rows], 7)
            for rows in (
                np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
                for _ in range(1000)
            )
        ]
    )
    for metric in (scores.accuracy, scores.balanced_accuracy, scores.macro_f1):
        assert metric(fast).mean() == pytest.approx(metric(plain).mean(), abs=0.005)
        assert metric(fast).std() == pytest.approx(metric(plain).std(), rel=0.1)


def test_a_seed_gives_one_result_and_a_perfect_model_no_width() -> None:
    label = np.arange(70) % 7
    one, other, third = (
        bootstrap.resampled_confusions(label, label[::-1], 7, np.arange(70) // 2, 100, seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, other)
    assert (one != third).any()
    perfect = bootstrap.resampled_confusions(label, label, 7, np.arange(70), 100, seed=1)
    assert bootstrap.percentile_interval(scores.accuracy(perfect)) == (1, 1)
    assert (perfect.sum(axis=(1, 2)) == 70).all()


def test_ten_thousand_resamples_of_a_whole_test_split_take_seconds_at_most() -> None:
    random = np.random.default_rng(1)
    label, prediction = random.integers(0, 7, (2, 3589))
    started = time.process_time()
    drawn = bootstrap.resampled_confusions(label, prediction, 7, random.integers(0, 3500, 3589), 10_000, seed=1)
    scores.macro_f1(drawn)
    assert time.process_time() - started < 5


def test_the_difference_of_two_models_is_paired() -> None:
    """Two models that err alike: the interval of the difference is far narrower than that of either figure."""
    random = np.random.default_rng(4)
    label, first = random.integers(0, 7, (2, COUNT))
    first[:700] = label[:700]
    second = first.copy()
    second[650:700] = (label[650:700] + 1) % 7  # 50 images less
    group = np.arange(COUNT) // 2
    value, low, high = bootstrap.macro_f1_difference(label, first, second, 7, group, 4000, seed=1)
    figures = [float(scores.macro_f1(scores.confusion_matrix(label, answer, 7))) for answer in (first, second)]
    assert value == pytest.approx(figures[0] - figures[1])
    assert 0 < low < value < high
    alone = bootstrap.percentile_interval(
        scores.macro_f1(bootstrap.resampled_confusions(label, first, 7, group, 4000, seed=1))
    )
    assert high - low < 0.6 * (alone.high - alone.low)


def test_the_paired_difference_equals_drawing_groups_one_by_one() -> None:
    random = np.random.default_rng(5)
    label, first, second = random.integers(0, 7, (3, 120))
    first[:60], second[30:80] = label[:60], label[30:80]
    group = random.integers(0, 50, 120)
    _, low, high = bootstrap.macro_f1_difference(label, first, second, 7, group, 4000, seed=1)
    members = [np.flatnonzero(group == name) for name in np.unique(group)]
    plain = []
    for _ in range(2000):
        rows = np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
        one, other = (
            scores.macro_f1(scores.confusion_matrix(label[rows], answer[rows], 7)) for answer in (first, second)
        )
        plain.append(float(one - other))
    assert (low, high) == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])), abs=0.02)


def test_a_model_against_itself_has_no_difference() -> None:
    label, answer = np.random.default_rng(6).integers(0, 7, (2, 100))
    assert bootstrap.macro_f1_difference(label, answer, answer, 7, np.arange(100), 100, seed=1) == (0, 0, 0)

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn import metrics

from components.fer.metrics import scores
from tests.components.fer.metrics.strategies import Answers, answers

SINGLE = (scores.accuracy, scores.balanced_accuracy, scores.macro_f1)


@pytest.fixture
def skilled() -> Answers:
    """500 images, all seven expressions, about 60 % right."""
    random = np.random.default_rng(1)
    label = random.integers(0, 7, 500)
    odds = random.random((500, 7)) + 0.6 * np.eye(7)[label]
    return odds / odds.sum(axis=1, keepdims=True), label


def test_scores_of_counts_equal_scikit_learns(skilled: Answers) -> None:
    probabilities, label = skilled
    prediction = scores.predicted(probabilities)
    confusion = scores.confusion_matrix(label, prediction, 7)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(label, prediction)
    assert scores.accuracy(confusion) == metrics.accuracy_score(label, prediction)
    assert scores.balanced_accuracy(confusion) == pytest.approx(metrics.balanced_accuracy_score(label, prediction))
    assert scores.macro_f1(confusion) == pytest.approx(metrics.f1_score(label, prediction, average="macro"))
    np.testing.assert_allclose(scores.precision(confusion), precision)
    np.testing.assert_allclose(scores.recall(confusion), recall)
    np.testing.assert_allclose(scores.f1(confusion), f1)
    np.testing.assert_array_equal(confusion.sum(axis=1), support)


def test_top_2_and_likelihood_by_hand() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2, 0, 0, 0, 0], [0.5, 0.3, 0.2, 0, 0, 0, 0], [0.5, 0.3, 0.2, 0, 0, 0, 0]])
    label = np.array([0, 1, 2])
    assert scores.top_2_accuracy(probabilities, label) == pytest.approx(2 / 3)
    assert scores.negative_log_likelihood(probabilities, label) == pytest.approx(-np.log([0.5, 0.3, 0.2]).mean())


def test_binary_accuracy_rewards_never_deciding() -> None:
    label = np.arange(7)
    assert scores.binary_accuracy(np.full((7, 7), 1 / 7), label) == pytest.approx(6 / 7)
    assert scores.binary_accuracy(np.eye(7), label) == 1


def test_kappa_of_a_worked_example() -> None:
    """Cohen's kappa of 50 proposals (en.wikipedia.org/wiki/Cohen's_kappa): 20 and 15 agreed, 5 and 10 not."""
    label = np.repeat([0, 0, 1, 1], [20, 5, 10, 15])
    prediction = np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    assert scores.cohen_kappa(label, prediction, 7) == pytest.approx(0.4)


def test_kappa_is_undefined_where_only_one_class_is_seen() -> None:
    assert np.isnan(scores.cohen_kappa(np.array([3, 3]), np.array([3, 3]), 7))


def test_most_confused_is_the_greatest_count_off_the_diagonal() -> None:
    confusion = np.diag([9, 9, 9, 9, 9, 9, 0])
    confusion[0, 4] = 3
    confusion[0, 5] = 2
    confusion[2, 0] = 1
    assert scores.most_confused(confusion).tolist() == [4, -1, 0, -1, -1, -1, -1]


def test_an_expression_without_images_counts_in_no_average() -> None:
    confusion = scores.confusion_matrix(np.array([0, 0, 1]), np.array([0, 2, 1]), 7)
    assert scores.balanced_accuracy(confusion) == 0.75
    assert scores.macro_f1(confusion) == pytest.approx((2 / 3 + 1) / 2)
    assert np.isnan(scores.row_normalised(confusion)[2]).all()


def test_majority_class_is_the_first_of_equals() -> None:
    assert scores.majority_class(np.array([5, 3, 3, 5], np.uint8)) == 3


@given(answers())
@settings(deadline=None)
def test_every_image_is_in_one_cell_and_the_order_of_images_changes_nothing(made: Answers) -> None:
    probabilities, label = made
    confusion = scores.confusion_matrix(label, scores.predicted(probabilities), 7)
    assert confusion.sum() == len(label)
    back = scores.confusion_matrix(label[::-1], scores.predicted(probabilities[::-1]), 7)
    np.testing.assert_array_equal(confusion, back)
    for metric in (scores.top_2_accuracy, scores.binary_accuracy, scores.negative_log_likelihood):
        assert metric(probabilities[::-1], label[::-1]) == pytest.approx(metric(probabilities, label))


@given(answers())
@settings(deadline=None)
def test_scores_lie_between_0_and_1_and_a_perfect_model_has_1(made: Answers) -> None:
    probabilities, label = made
    confusion = scores.confusion_matrix(label, scores.predicted(probabilities), 7)
    assert all(0 <= metric(confusion) <= 1 for metric in SINGLE)
    assert scores.accuracy(confusion) <= scores.top_2_accuracy(probabilities, label)
    perfect = scores.confusion_matrix(label, label, 7)
    assert all(metric(perfect) == 1 for metric in SINGLE)

"""A claim that the labels contradict stops an evaluation; a bad model, few images and other data do not."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluate import claim
from components.fer.errors import InputError

COUNT = 3589
RANDOM = np.random.default_rng(1)
LABEL = RANDOM.choice(7, COUNT, p=np.array([467, 56, 496, 895, 653, 415, 607]) / COUNT)
"""as many of each expression as PublicTest has"""


def answers(accuracy: float) -> NDArray[np.int64]:
    """Answers to all images, of which so many are right."""
    wrong = (LABEL + RANDOM.integers(1, 7, COUNT)) % 7
    return np.where(RANDOM.random(COUNT) < accuracy, LABEL, wrong)


def check(claimed: float, prediction: NDArray[np.int64], label: NDArray[np.int64] = LABEL) -> None:
    claim.check(claimed, np.eye(7)[prediction], label, Path("model.keras"), Path("history.csv"))


@pytest.mark.parametrize("claimed", [0.64, 0.9])
def test_shuffled_labels_are_named_with_both_figures(claimed: float) -> None:
    prediction, label = answers(0.64), RANDOM.permutation(LABEL)
    check(claimed, prediction)
    with pytest.raises(InputError) as raised:
        check(claimed, prediction, label)
    found = 100 * np.mean(prediction == label)
    assert found < 20
    assert str(raised.value).startswith(
        f"model model.keras: its training claims an accuracy of {100 * claimed:.1f} % on PublicTest (history.csv), "
        f"expected about that; received {found:.1f} %, Cohen's kappa "
    )


def test_shuffled_order_of_the_images_is_the_same() -> None:
    with pytest.raises(InputError, match="as if labels or images were in another order"):
        check(0.64, np.roll(answers(0.64), 1))


def test_a_model_that_learnt_nothing_and_says_so_is_no_mistake() -> None:
    happy = np.full(COUNT, 3)
    check(float(np.mean(happy == LABEL)), happy)
    check(0.3, happy)


def test_a_much_worse_accuracy_on_other_data_is_a_finding() -> None:
    check(0.64, answers(0.25))


def test_few_images_are_no_reason_to_stop() -> None:
    check(0.5, np.array([0, 1, 2, 3]), np.array([3, 2, 1, 0]))


def test_one_expression_alone_says_nothing() -> None:
    check(0.9, np.zeros(COUNT, np.int64), np.zeros(COUNT, np.int64))


def test_private_test_is_held_to_public_test() -> None:
    prediction = answers(0.64)
    said = np.eye(7)[prediction]
    claim.check_private(0.64, said, LABEL, Path("model.keras"))
    claim.check_private(0.64, said[:0], LABEL[:0], Path("model.keras"))
    with pytest.raises(InputError) as raised:
        claim.check_private(0.64, said, RANDOM.permutation(LABEL), Path("model.keras"))
    assert str(raised.value).startswith(
        "model model.keras: expected about the accuracy on PrivateTest that it has on PublicTest, 64.0 %; received 1"
    )

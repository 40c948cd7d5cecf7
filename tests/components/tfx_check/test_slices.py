"""Which slices an image belongs to, and what is counted in them."""

import numpy as np
import pytest

from components.fer.dataset import Masks
from components.fer.ferplus import VOTES
from components.tfx_check import slices
from components.tfx_check.slices import OVERALL, Count


def masks(clean_exact: list[bool], clean_near: list[bool]) -> Masks:
    count = len(clean_exact)
    no = np.zeros(count, bool)
    rows = np.arange(count, dtype=np.int32)
    return Masks(np.array(clean_exact), np.array(clean_near), no, no, rows, np.zeros(count, np.float32))


def test_images_are_sliced_by_what_is_known_of_their_rows() -> None:
    audit = masks([True, False, True, True], [True, False, False, True])
    sure = np.array(["clear", "divided", "clear", "majority"])
    found = slices.columns(np.array([3, 1]), np.array([2, 1]), audit, sure)
    assert {name: values.tolist() for name, values in found.items()} == {
        "expression": ["happy", "disgust"],
        "clean_exact": ["yes", "no"],
        "clean_near": ["no", "no"],
        "certainty": ["clear", "divided"],
    }
    assert "certainty" not in slices.columns(np.array([3]), np.array([2]), audit, None)


def test_brightness_has_three_equal_bands() -> None:
    means = np.array([0, 85.3, 85.4, 170.6, 170.7, 255])
    assert slices.brightness(means).tolist() == ["dark", "dark", "medium", "medium", "bright", "bright"]


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ({"fear": 10}, "clear"),
        ({"fear": 8, "sadness": 2}, "clear"),
        ({"fear": 7, "sadness": 3}, "majority"),
        ({"contempt": 6, "sadness": 4}, "majority"),
        ({"fear": 5, "sadness": 5}, "divided"),
        ({"fear": 2, "sadness": 1, "NF": 1}, "divided"),
        ({}, "divided"),
    ],
)
def test_certainty_is_the_share_of_the_most_frequent_answer(votes: dict[str, int], expected: str) -> None:
    row = np.array([[votes.get(name, 0) for name in VOTES]])
    assert slices.certainty(row).tolist() == [expected]


def test_every_slice_that_occurs_is_counted_and_all_images_together() -> None:
    right = np.array([True, False, True, True])
    sliced = {"expression": np.array(["sad", "sad", "happy", "happy"]), "clean_near": np.array(["yes"] * 4)}
    assert slices.counts(right, sliced) == {
        OVERALL: Count(4, 3),
        ("expression", "sad"): Count(2, 1),
        ("expression", "happy"): Count(2, 2),
        ("clean_near", "yes"): Count(4, 3),
    }
    assert slices.counts(right[:0], {}) == {}

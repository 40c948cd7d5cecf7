"""Who fits, decides and judges: the authors say, or the seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from components.fer.dataset import Faces
from components.validate.source import Source
from components.validate.splits import PRIVATE, PUBLIC, TRAINING, Rule, divided, random_usage

labels = hnp.arrays(np.uint8, st.integers(0, 200), elements=st.integers(0, 6))


@given(labels, st.floats(0.1, 0.9), st.integers(0, 2**32))
def test_a_random_split_has_its_sizes_and_the_proportions_of_the_expressions(
    label: NDArray[np.uint8], share: float, seed: int
) -> None:
    usage = random_usage(label, share, seed)
    held_out = round(len(label) * share)
    expected = [len(label) - held_out, held_out - held_out // 2, held_out // 2]
    assert np.bincount(usage, minlength=3).tolist() == expected
    for one in np.unique(label):
        total = (label == one).sum()
        got = np.bincount(usage[label == one], minlength=3)
        assert abs(got[TRAINING] - total * expected[TRAINING] / len(label)) < 1
        assert abs(got[PUBLIC] - got[PRIVATE]) <= 3


def source(made: Faces, *usages: str) -> Source:
    """The made faces, in the splits named alone."""
    usage = made.usage.copy()
    usage[usage == PUBLIC] = TRAINING
    return Source(Faces(made.images, made.label, usage if usages else np.zeros_like(usage)), "made", "", usages)


def test_an_official_split_stays(made: Faces) -> None:
    assert divided(Source(made, "made", ""), Rule(seed=5)) is made


def test_where_the_authors_give_training_and_test_a_tenth_of_training_decides(made: Faces) -> None:
    faces = divided(source(made, "Training", "PrivateTest"), Rule(seed=1))
    np.testing.assert_array_equal(faces.usage == PRIVATE, made.usage == PRIVATE)
    assert np.bincount(faces.usage).tolist() == [567, 63, 70]
    assert np.abs(np.bincount(faces.label[faces.usage == PUBLIC]) - 9).max() <= 1


def test_where_they_give_none_the_split_is_random(made: Faces) -> None:
    faces = divided(source(made), Rule(test_share=0.2, seed=1))
    np.testing.assert_array_equal(faces.usage, random_usage(made.label, 0.2, 1))


@pytest.mark.parametrize("usages", [("Training", "PublicTest", "PrivateTest"), ("Training", "PrivateTest"), ()])
def test_a_random_split_takes_the_place_of_any_other(usages: tuple[str, ...], made: Faces) -> None:
    faces = divided(source(made, *usages), Rule("random", test_share=0.3, seed=4))
    np.testing.assert_array_equal(faces.usage, random_usage(made.label, 0.3, 4))
    assert (faces.usage != random_usage(made.label, 0.3, 5)).any()

"""McNemar's exact test: a worked example, and its symmetry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.fer.metrics import mcnemar

right = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1).map(np.array)


def test_worked_example() -> None:
    # M. P. Fay, "Exact McNemar's Test and Matching Confidence Intervals" (vignette of the R package exact2x2):
    # 21, 9, 2, 12; two-sided p = 0.06543, so half of that one-sided.
    first = np.repeat([True, True, False, False], [21, 9, 2, 12])
    second = np.repeat([True, False, True, False], [21, 9, 2, 12])
    test = mcnemar.exact_test(first, second)
    assert (test.gained, test.lost) == (9, 2)
    assert test.p_better == 67 / 2048
    assert test.p_worse == pytest.approx(1 - 12 / 2048)


@given(right)
def test_exchanging_the_models_exchanges_the_sides(pairs: np.ndarray) -> None:
    there, back = mcnemar.exact_test(*pairs.T), mcnemar.exact_test(*pairs.T[::-1])
    assert (there.gained, there.lost) == (back.lost, back.gained)
    assert (there.p_better, there.p_worse) == (back.p_worse, back.p_better)


@given(right)
def test_images_that_both_get_right_or_wrong_say_nothing(pairs: np.ndarray) -> None:
    agreed = np.array([[True, True], [False, False]])
    assert mcnemar.exact_test(*np.vstack([pairs, agreed]).T) == mcnemar.exact_test(*pairs.T)


def test_answers_to_different_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected the same images for both, received \(3,\) and \(4,\)"):
        mcnemar.exact_test(np.ones(3, bool), np.ones(4, bool))

"""Tango's score test: the paper's example, a textbook's interval, and its kinship to McNemar's test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.fer.metrics.noninferiority import score_test


def test_worked_example_of_the_paper() -> None:
    # Tango 1998, section 7: two ways of disinfecting contact lenses, 44 patients, of whom 43 and 44 were free of
    # trouble; margin 10 %: Z = 1.709, p = 0.044.
    assert stats.norm.isf(score_test(gained=0, lost=1, images=44, margin=0.1)) == pytest.approx(1.709, abs=5e-4)
    assert score_test(gained=0, lost=1, images=44, margin=0.1) == pytest.approx(0.044, abs=5e-4)


def test_interval_of_a_textbook() -> None:
    # Fagerland, Lydersen and Laake, "Statistical Analysis of Contingency Tables", 2017, chapter 8: airway
    # hyper-responsiveness in 21 children before and after a transplantation, 1 and 7 discordant; Tango's interval of
    # 95 % for the difference, -0.517 to -0.026. The test at a bound of the interval has half of 5 % on that side.
    assert score_test(gained=1, lost=7, images=21, margin=0.517) == pytest.approx(0.025, abs=2e-4)
    assert score_test(gained=1, lost=7, images=21, margin=0.026) == pytest.approx(0.975, abs=2e-4)


counts = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(1, 3000))


@given(counts)
def test_with_almost_no_margin_it_is_mcnemars_test(count: tuple[int, int, int]) -> None:
    gained, lost, neither = count
    if gained + lost:
        z = (gained - lost) / np.sqrt(gained + lost)
        assert score_test(gained, lost, gained + lost + neither, 1e-9) == pytest.approx(stats.norm.sf(z), abs=1e-3)


@given(counts, st.floats(0.001, 0.4))
def test_a_wider_margin_is_easier_to_keep(count: tuple[int, int, int], margin: float) -> None:
    gained, lost, neither = count
    images = gained + lost + neither
    assert score_test(gained, lost, images, 2 * margin) <= score_test(gained, lost, images, margin) + 1e-12


def test_a_sample_without_a_discordant_image_can_show_it() -> None:
    assert score_test(0, 0, 3589, 0.01) < 1e-6
    assert score_test(0, 0, 10, 0.01) > 0.3


@pytest.mark.parametrize("margin", [0, -0.1, 1])
def test_a_margin_that_is_none_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="expected a margin between 0 and 1"):
        score_test(1, 1, 10, margin)

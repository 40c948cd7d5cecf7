"""Whether a candidate is better: worked examples, symmetry, and how often chance alone promotes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from components.push_model import comparison


def answers(both: int, gained: int, lost: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Which images candidate and baseline get right, from the four cells of the table."""
    candidate = np.repeat([True, True, False, False], [both, gained, lost, neither])
    baseline = np.repeat([True, False, True, False], [both, gained, lost, neither])
    return candidate, baseline


def test_worked_example_of_the_exact_test() -> None:
    # M. P. Fay, "Exact McNemar's Test and Matching Confidence Intervals" (vignette of the R package exact2x2):
    # 21, 9, 2, 12; two-sided p = 0.06543, so half of that one-sided.
    counts = comparison.paired(*answers(both=21, gained=9, lost=2, neither=12))
    assert (counts.images, counts.candidate_correct, counts.baseline_correct) == (44, 30, 23)
    assert (counts.gained, counts.lost) == (9, 2)
    assert 2 * counts.p_better == pytest.approx(0.06543, abs=5e-6)
    assert counts.p_better == 67 / 2048


def test_verdict_names_the_numbers() -> None:
    counts = comparison.paired(*answers(both=21, gained=9, lost=2, neither=12))
    verdict = comparison.verdict(counts, "0001-1a2b3c4d", alpha=0.05)
    assert verdict.decision == "PROMOTE"
    assert verdict.reasons == (
        "68.2 % on PublicTest, champion 0001-1a2b3c4d 52.3 %",
        "9 images gained, 2 lost: better",
        "McNemar's exact test, one-sided: p = 0.0327, alpha 0.05",
    )


@pytest.mark.parametrize(
    ("gained", "lost", "decision"),
    [(5, 0, "PROMOTE"), (4, 0, "HOLD"), (0, 0, "HOLD"), (0, 4, "HOLD"), (0, 5, "REJECT")],
)
def test_decision_at_the_edges_of_alpha(gained: int, lost: int, decision: str) -> None:
    counts = comparison.paired(*answers(both=10, gained=gained, lost=lost, neither=10))
    assert comparison.verdict(counts, "0001-1a2b3c4d", alpha=0.05).decision == decision  # 1/32 and 1/16 around 1/20


def test_first_model_is_compared_with_the_majority_class_of_training() -> None:
    training, public = np.array([3, 3, 3, 6, 6], np.uint8), np.array([6, 3, 6, 0], np.uint8)
    np.testing.assert_array_equal(comparison.majority_correct(training, public), [False, True, False, False])
    counts = comparison.paired(*answers(both=0, gained=60, lost=20, neither=20))
    verdict = comparison.verdict(counts, comparison.MAJORITY, alpha=0.05)
    assert verdict.reasons[0] == "first model: 60.0 % on PublicTest, majority class 20.0 %"
    assert verdict.reasons[2].endswith("p < 0.0001, alpha 0.05")


def test_the_same_model_is_held_without_a_comparison() -> None:
    verdict = comparison.identical("0001-1a2b3c4d", alpha=0.05)
    assert (verdict.decision, verdict.reasons) == ("HOLD", ("the same model as champion 0001-1a2b3c4d",))


def test_answers_to_different_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected the same images for both, received \(3,\) and \(4,\)"):
        comparison.paired(np.ones(3, bool), np.ones(4, bool))


cells = st.integers(0, 200)
levels = st.floats(0.001, 0.49)


@settings(max_examples=50, deadline=None)  # other work on the machine is no failure
@given(cells, cells, cells, st.integers(1, 200), levels)
def test_exchanging_the_two_exchanges_promote_and_reject(
    both: int, gained: int, lost: int, neither: int, alpha: float
) -> None:
    candidate, baseline = answers(both, gained, lost, neither)
    there = comparison.verdict(comparison.paired(candidate, baseline), "0001-1a2b3c4d", alpha).decision
    back = comparison.verdict(comparison.paired(baseline, candidate), "0001-1a2b3c4d", alpha).decision
    assert {"PROMOTE": "REJECT", "REJECT": "PROMOTE", "HOLD": "HOLD"}[there] == back


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=1))
def test_a_model_against_itself_is_held(right: list[bool]) -> None:
    counts = comparison.paired(np.array(right), np.array(right))
    assert (counts.p_better, counts.p_worse) == (1.0, 1.0)
    assert comparison.verdict(counts, "0001-1a2b3c4d", alpha=0.49).decision == "HOLD"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60), levels)
def test_two_equally_good_models_are_promoted_at_most_alpha_of_the_time(discordant: int, alpha: float) -> None:
    promoted = 0.0
    for gained in range(discordant + 1):
        counts = comparison.paired(*answers(both=1, gained=gained, lost=discordant - gained, neither=1))
        if comparison.verdict(counts, "0001-1a2b3c4d", alpha).decision == "PROMOTE":
            promoted += stats.binom.pmf(gained, discordant, 0.5)
    assert promoted <= alpha + 1e-12

"""The gate: what each check says, what they decide together, and how often chance alone promotes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from components.fer.dataset import EXPRESSIONS
from components.model_store.records import Check, Paired, Rules
from components.push_model import gate

RULES = Rules(
    rule="superiority",
    alpha=0.05,
    minimum_effect=0.5,
    margin=2.0,
    floor_over_majority=10.0,
    class_floor=0.1,
    calibration_limit=0.1,
)
NON_INFERIORITY = replace(RULES, rule="non_inferiority")

COUNT = 700
LABEL = (np.arange(COUNT) % 7).astype(np.uint8)
IMAGES = gate.Images(LABEL, np.arange(COUNT), majority=3)
HAPPY = np.full(COUNT, 3)


def answers(prediction: NDArray[Any], confidence: float = 0.7) -> NDArray[np.float64]:
    """Probabilities (N, 7) that are `confidence` for the predicted expression."""
    rest = (1 - confidence) / 6
    return np.asarray(rest + (confidence - rest) * np.eye(7)[prediction])


def good(wrong: int, start: int = 0) -> NDArray[Any]:
    """Predictions that are right but for so many in a row, which are taken for the next expression."""
    prediction = LABEL.astype(np.int64)
    prediction[start : start + wrong] = (prediction[start : start + wrong] + 1) % 7
    return prediction


def champion(wrong: int, start: int = 0) -> gate.Champion:
    return gate.Champion("0001-1a2b3c4d", answers(good(wrong, start)))


def failed(checks: tuple[Check, ...]) -> list[str]:
    return [check.name for check in checks if not check.passed]


def test_without_a_champion_the_floors_alone_decide() -> None:
    verdict = gate.judge(answers(good(210)), None, IMAGES, RULES)
    assert (verdict.decision, verdict.against) == ("PROMOTE", gate.MAJORITY)
    assert verdict.reasons == (
        "first model: 70.0 % on PublicTest, majority class 14.3 %",
        "55.71 points over always happy, at least 10",
        "over always happy, 420 images gained, 30 lost: p < 0.0001, alpha 0.05 (McNemar's exact test)",
        "least recall 70.0 % (angry), at least 10 %",
        f"calibration error {100 * verdict.checks[3].value:.1f} % after temperature scaling, at most 10 %",
    )
    assert [check.name for check in verdict.checks] == ["over_majority", "majority_test", "class_floor", "calibration"]
    assert (verdict.rules, verdict.macro_f1) == (RULES, None)


@pytest.mark.parametrize("rules", [RULES, NON_INFERIORITY], ids=lambda rules: rules.rule)
def test_each_floor_rejects_even_what_beats_the_champion(rules: Rules) -> None:
    without_fear = np.where(LABEL == 2, 4, LABEL)
    serving = champion(350)
    verdict = gate.judge(answers(without_fear), serving, IMAGES, rules)
    assert (verdict.decision, failed(verdict.checks)) == ("REJECT", ["class_floor"])
    assert verdict.reasons[1] == "not met: recall of fear 0.0 %, at least 10 %"
    verdict = gate.judge(answers(good(210)), serving, IMAGES, replace(rules, floor_over_majority=60.0))
    assert (verdict.decision, failed(verdict.checks)) == ("REJECT", ["over_majority"])
    assert verdict.reasons[1] == "not met: 55.71 points over always happy, at least 60"
    verdict = gate.judge(answers(good(210)), serving, IMAGES, replace(rules, calibration_limit=0.0))
    assert (verdict.decision, failed(verdict.checks)) == ("REJECT", ["calibration"])


def test_a_first_model_no_better_than_the_majority_class_is_rejected_by_every_floor_it_misses() -> None:
    verdict = gate.judge(answers(HAPPY), None, IMAGES, RULES)
    assert verdict.decision == "REJECT"
    assert failed(verdict.checks)[:3] == ["over_majority", "majority_test", "class_floor"]
    assert "angry 0.0 %, disgust 0.0 %, fear 0.0 %, sad 0.0 %" in "; ".join(verdict.reasons)


def test_expressions_that_do_not_occur_have_no_floor() -> None:
    recall = np.array([0.5, np.nan, 0.1, 0.9, np.nan, 0.2, 0.6])
    check = gate.class_floor(recall, RULES)
    assert (check.value, check.passed) == (0.1, True)
    assert gate.class_floor(recall, replace(RULES, class_floor=0.15)).words == "recall of fear 10.0 %, at least 15 %"


def test_calibration_is_judged_after_scaling_by_a_temperature_fitted_on_other_images() -> None:
    certain = gate.judge(answers(good(210), confidence=0.999), None, IMAGES, RULES)
    mild = gate.judge(answers(good(210), confidence=0.7), None, IMAGES, RULES)
    assert certain.checks[3].passed
    assert certain.checks[3].value == pytest.approx(mild.checks[3].value, abs=0.01)


def test_a_better_candidate_follows_the_champion_and_says_by_how_much() -> None:
    verdict = gate.judge(answers(good(180)), champion(210), IMAGES, RULES)
    assert (verdict.decision, verdict.against) == ("PROMOTE", "0001-1a2b3c4d")
    assert verdict.reasons[0] == "74.3 % on PublicTest, champion 0001-1a2b3c4d 70.0 %"
    assert verdict.reasons[-2:] == (
        "+4.29 points on champion, at least +0.5",
        "over champion, 30 images gained, 0 lost: p < 0.0001, alpha 0.05 (McNemar's exact test)",
    )
    assert verdict.paired is not None
    assert (verdict.paired.gained, verdict.paired.lost) == (30, 0)
    assert verdict.macro_f1 is not None
    assert 0 < verdict.macro_f1.low < verdict.macro_f1.value < verdict.macro_f1.high


def test_a_worse_candidate_is_rejected_with_its_p() -> None:
    verdict = gate.judge(answers(good(210)), champion(180), IMAGES, RULES)
    assert verdict.decision == "REJECT"
    assert "worse than champion 0001-1a2b3c4d: p < 0.0001, alpha 0.05 of so many lost" in verdict.reasons


def test_a_model_against_itself_is_held() -> None:
    assert gate.judge(answers(good(210)), champion(210), IMAGES, RULES).decision == "HOLD"
    verdict = gate.identical("0001-1a2b3c4d", RULES)
    assert (verdict.decision, verdict.reasons) == ("HOLD", ("the same model as champion 0001-1a2b3c4d",))


def counts(gained: int, lost: int, neither: int = 10) -> Paired:
    right = np.repeat([True, False, False], [gained, lost, neither])
    other = np.repeat([False, True, False], [gained, lost, neither])
    return gate.paired(right, other)


def decided(paired: Paired, rules: Rules) -> str:
    return gate.decision((), gate.against_champion(paired, rules), paired.p_worse <= rules.alpha)


@pytest.mark.parametrize(
    ("gained", "lost", "decision"),
    [(5, 0, "PROMOTE"), (4, 0, "HOLD"), (0, 0, "HOLD"), (0, 4, "HOLD"), (0, 5, "REJECT")],
)
def test_superiority_at_the_edges_of_alpha(gained: int, lost: int, decision: str) -> None:
    assert decided(counts(gained, lost), RULES) == decision  # 1/32 and 1/16 around 1/20


def test_a_sure_gain_below_the_minimum_effect_is_held() -> None:
    sure = counts(9, 0, 2000)
    assert failed(gate.against_champion(sure, RULES)) == ["minimum_effect"]
    assert decided(sure, RULES) == "HOLD"
    assert decided(sure, replace(RULES, minimum_effect=0.4)) == "PROMOTE"


def test_non_inferiority_promotes_what_is_surely_worse_by_less_than_the_margin() -> None:
    slightly = counts(2, 12, 3575)
    assert slightly.p_worse < 0.05
    assert decided(slightly, NON_INFERIORITY) == "PROMOTE"
    assert decided(slightly, RULES) == "REJECT"
    (check,) = gate.against_champion(slightly, NON_INFERIORITY)
    assert check.words == (
        "at most 2 points under champion, 2 images gained, 12 lost: p < 0.0001, alpha 0.05 (Tango's score test)"
    )
    assert decided(counts(2, 122, 3465), NON_INFERIORITY) == "REJECT"
    assert decided(counts(10, 10, 200), NON_INFERIORITY) == "HOLD"


def test_answers_to_different_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected the same images for both, received \(3,\) and \(4,\)"):
        gate.paired(np.ones(3, bool), np.ones(4, bool))


cells = st.integers(0, 200)
levels = st.floats(0.001, 0.49)


@settings(max_examples=50, deadline=None)  # other work on the machine is no failure
@given(cells, cells, st.integers(1, 200), levels)
def test_exchanging_the_two_exchanges_promote_and_reject(gained: int, lost: int, neither: int, alpha: float) -> None:
    rules = replace(RULES, alpha=alpha, minimum_effect=0.0)
    there, back = decided(counts(gained, lost, neither), rules), decided(counts(lost, gained, neither), rules)
    assert {"PROMOTE": "REJECT", "REJECT": "PROMOTE", "HOLD": "HOLD"}[there] == back


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60), levels)
def test_two_equally_good_models_are_promoted_at_most_alpha_of_the_time(discordant: int, alpha: float) -> None:
    rules = replace(RULES, alpha=alpha)
    promoted = sum(
        stats.binom.pmf(gained, discordant, 0.5)
        for gained in range(discordant + 1)
        if decided(counts(gained, discordant - gained), rules) == "PROMOTE"
    )
    assert promoted <= alpha + 1e-12


def test_the_names_in_reasons_are_those_of_the_expressions() -> None:
    assert EXPRESSIONS[IMAGES.majority] == "happy"

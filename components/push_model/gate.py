"""Whether a candidate may serve: floors that any model has to reach, and a paired test against the champion.

Pure functions of answers to the same images. The floors stand for themselves: a model may be better than the champion
and still be none to serve. Without a champion they alone decide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EIGHT
from components.fer.metrics import bootstrap, calibration, mcnemar, noninferiority, scores
from components.fer.metrics.bootstrap import Groups
from components.fer.metrics.scores import Floats, Labels, Probabilities
from components.model_store.records import Check, Decision, Difference, Paired, Rules, Verdict

MAJORITY = "majority class"

RESAMPLES, SEED = 10_000, 1
"""of the bootstrap"""


@dataclass(frozen=True, eq=False)
class Images:
    """The images that judge, and what is known of them."""

    label: Labels
    """(N,)"""
    group: Groups
    """(N,), equal exactly for copies"""
    majority: int
    """the most frequent expression of Training"""


@dataclass(frozen=True, eq=False)
class Champion:
    """What serves now."""

    version: str
    probabilities: Probabilities
    """(N, E), its answers to the same images"""


def judge(candidate: Probabilities, champion: Champion | None, images: Images, rules: Rules) -> Verdict:
    """Hold the candidate's answers (N, E) to the floors and, where there is one, to the champion's answers."""
    prediction = scores.predicted(candidate)
    right = prediction == images.label
    against, counts = MAJORITY, paired(right, images.label == images.majority)
    calibrated = calibration.cross_fitted(candidate, images.label, images.group)
    error = calibration.expected_calibration_error(calibration.reliability(calibrated, images.label))
    floors = (
        *over_majority(counts, EIGHT[images.majority], rules),
        class_floor(scores.recall(scores.confusion_matrix(images.label, prediction, candidate.shape[1])), rules),
        calibration_limit(error, rules),
    )
    tests: tuple[Check, ...] = ()
    difference = None
    if champion is not None:
        other = scores.predicted(champion.probabilities)
        against, counts = champion.version, paired(right, other == images.label)
        tests = against_champion(counts, rules)
        answers = images.label, prediction, other
        drawn = bootstrap.macro_f1_difference(*answers, candidate.shape[1], images.group, RESAMPLES, SEED)
        difference = Difference(*drawn)
    return Verdict(
        decision=decision(floors, tests, counts.p_worse <= rules.alpha),
        reasons=tuple(reasons(against, counts, (*floors, *tests), rules)),
        against=against,
        alpha=rules.alpha,
        paired=counts,
        rules=rules,
        checks=(*floors, *tests),
        macro_f1=difference,
    )


def identical(champion: str, rules: Rules) -> Verdict:
    """HOLD: the candidate is the champion's model, byte for byte."""
    return Verdict("HOLD", (f"the same model as champion {champion}",), champion, rules.alpha, None, rules)


def paired(candidate: NDArray[np.bool_], baseline: NDArray[np.bool_]) -> Paired:
    """McNemar's exact test on which images, (N,) each, candidate and baseline get right."""
    return Paired(
        images=len(candidate),
        candidate_correct=int(candidate.sum()),
        baseline_correct=int(baseline.sum()),
        **mcnemar.exact_test(candidate, baseline)._asdict(),
    )


def decision(floors: Sequence[Check], tests: Sequence[Check], worse: bool) -> Decision:
    """REJECT what misses a floor, PROMOTE what passes its tests, REJECT what is `worse` at the level, HOLD any other.

    What is surely worse but surely by less than the margin is promoted: non-inferiority asks for no more.
    """
    if not all(check.passed for check in floors):
        return "REJECT"
    if all(check.passed for check in tests):
        return "PROMOTE"
    return "REJECT" if worse else "HOLD"


def reasons(against: str, counts: Paired, checks: Sequence[Check], rules: Rules) -> Iterator[str]:
    """What was compared, then what was not shown, then what was."""
    candidate, baseline = (100 * right / counts.images for right in (counts.candidate_correct, counts.baseline_correct))
    first, name = ("first model: ", MAJORITY) if against == MAJORITY else ("", f"champion {against}")
    yield f"{first}{candidate:.1f} % on PublicTest, {name} {baseline:.1f} %"
    yield from (f"not met: {check.words}" for check in checks if not check.passed)
    if counts.p_worse <= rules.alpha:
        yield f"worse than {name}: {_p(counts.p_worse, rules)} of so many lost"
    yield from (check.words for check in checks if check.passed)


def over_majority(counts: Paired, expression: str, rules: Rules) -> tuple[Check, Check]:
    """Whether a model is better than always answering `expression`: by enough, and surely."""
    gain, floor = points(counts), rules.floor_over_majority
    over, p = f"over always {expression}", counts.p_better
    return (
        Check("over_majority", gain, floor, gain >= floor, f"{gain:.2f} points {over}, at least {floor:g}"),
        Check("majority_test", p, rules.alpha, p <= rules.alpha, f"{over}, {_exact(counts, rules)}"),
    )


def class_floor(recall: Floats, rules: Rules) -> Check:
    """Whether each expression is found often enough; `recall` is (E,), NaN for one that does not occur."""
    floor, least = rules.class_floor, float(np.nanmin(recall))
    below = ", ".join(f"{EIGHT[i]} {100 * recall[i]:.1f} %" for i in np.flatnonzero(recall < floor))
    found = f"recall of {below}" if below else f"least recall {100 * least:.1f} % ({EIGHT[np.nanargmin(recall)]})"
    return Check("class_floor", least, floor, not below, f"{found}, at least {100 * floor:g} %")


def calibration_limit(error: float, rules: Rules) -> Check:
    """Whether probabilities can be believed after temperature scaling; `error` is the expected one, 0..1."""
    limit = rules.calibration_limit
    words = f"calibration error {100 * error:.1f} % after temperature scaling, at most {100 * limit:g} %"
    return Check("calibration", error, limit, error <= limit, words)


def against_champion(counts: Paired, rules: Rules) -> tuple[Check, ...]:
    """What the rule asks of candidate and champion on the same images."""
    if rules.rule == "superiority":
        gain, least, p = points(counts), rules.minimum_effect, counts.p_better
        return (
            Check("minimum_effect", gain, least, gain >= least, f"{gain:+.2f} points on champion, at least {least:+g}"),
            Check("superiority", p, rules.alpha, p <= rules.alpha, f"over champion, {_exact(counts, rules)}"),
        )
    p = noninferiority.score_test(counts.gained, counts.lost, counts.images, rules.margin / 100)
    words = f"at most {rules.margin:g} points under champion, {_counts(counts)}: {_p(p, rules)} (Tango's score test)"
    return (Check("non_inferiority", p, rules.alpha, p <= rules.alpha, words),)


def points(counts: Paired) -> float:
    """The gain in accuracy, in points."""
    return 100 * (counts.gained - counts.lost) / counts.images


def _exact(counts: Paired, rules: Rules) -> str:
    return f"{_counts(counts)}: {_p(counts.p_better, rules)} (McNemar's exact test)"


def _counts(counts: Paired) -> str:
    return f"{counts.gained:,} images gained, {counts.lost:,} lost"


def _p(p: float, rules: Rules) -> str:
    return f"p {'< 0.0001' if p < 1e-4 else f'= {p:.4f}'}, alpha {rules.alpha:g}"

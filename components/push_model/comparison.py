"""Whether a candidate is better than what serves now: a paired comparison on the same images, without files or clocks.

The champion is a model, or for a first model the majority class, which is a model too: one that always says the same.
So one test serves both: McNemar's exact test, one-sided.
"""

import numpy as np
from numpy.typing import NDArray

from components.fer.metrics import mcnemar
from components.model_store.records import Decision, Paired, Verdict

MAJORITY = "majority class"


def majority_correct(training_label: NDArray[np.uint8], label: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which images (N,) the classifier gets right that always says the most frequent label of Training."""
    return np.asarray(label == np.bincount(training_label).argmax())


def paired(candidate: NDArray[np.bool_], baseline: NDArray[np.bool_]) -> Paired:
    """McNemar's exact test on which images, (N,) each, candidate and baseline get right."""
    return Paired(
        images=len(candidate),
        candidate_correct=int(candidate.sum()),
        baseline_correct=int(baseline.sum()),
        **mcnemar.exact_test(candidate, baseline)._asdict(),
    )


def verdict(counts: Paired, against: str, alpha: float) -> Verdict:
    """PROMOTE a candidate better than `against` at level `alpha`, REJECT one that is worse, HOLD any other."""
    decision: Decision = "HOLD"
    p, shown = min(counts.p_better, counts.p_worse), "no difference shown"
    if counts.p_better <= alpha:
        decision, p, shown = "PROMOTE", counts.p_better, "better"
    elif counts.p_worse <= alpha:
        decision, p, shown = "REJECT", counts.p_worse, "worse"
    candidate, baseline = counts.candidate_correct / counts.images, counts.baseline_correct / counts.images
    first, name = ("first model: ", MAJORITY) if against == MAJORITY else ("", f"champion {against}")
    return Verdict(
        decision=decision,
        reasons=(
            f"{first}{100 * candidate:.1f} % on PublicTest, {name} {100 * baseline:.1f} %",
            f"{counts.gained:,} images gained, {counts.lost:,} lost: {shown}",
            f"McNemar's exact test, one-sided: p {'< 0.0001' if p < 1e-4 else f'= {p:.4f}'}, alpha {alpha:g}",
        ),
        against=against,
        alpha=alpha,
        paired=counts,
    )


def identical(champion: str, alpha: float) -> Verdict:
    """HOLD: the candidate is the champion's model, byte for byte."""
    return Verdict("HOLD", (f"the same model as champion {champion}",), champion, alpha, None)

"""Whether a candidate is better than what serves now: a paired comparison on the same images, without files or clocks.

The champion is a model, or for a first model the majority class, which is a model too: one that always says the same.
So one test serves both: McNemar's exact test, one-sided. Among the images that exactly one of the two gets right, each
is a coin's toss if they are equally good (Q. McNemar, Psychometrika 12, 1947; exact form: the binomial test).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from components.model_store.records import Decision, Paired, Verdict

MAJORITY = "majority class"


def majority_correct(training_label: NDArray[np.uint8], label: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which images (N,) the classifier gets right that always says the most frequent label of Training."""
    return np.asarray(label == np.bincount(training_label).argmax())


def paired(candidate: NDArray[np.bool_], baseline: NDArray[np.bool_]) -> Paired:
    """McNemar's exact test on which images, (N,) each, candidate and baseline get right."""
    if candidate.shape != baseline.shape:
        raise ValueError(f"expected the same images for both, received {candidate.shape} and {baseline.shape}")
    gained, lost = int(np.sum(candidate & ~baseline)), int(np.sum(baseline & ~candidate))
    return Paired(
        images=len(candidate),
        candidate_correct=int(candidate.sum()),
        baseline_correct=int(baseline.sum()),
        gained=gained,
        lost=lost,
        p_better=_one_sided(gained, lost),
        p_worse=_one_sided(lost, gained),
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


def _one_sided(wins: int, losses: int) -> float:
    """Probability of at least `wins` heads in `wins + losses` tosses of a fair coin."""
    if wins + losses == 0:
        return 1.0
    return float(stats.binomtest(wins, wins + losses, alternative="greater").pvalue)

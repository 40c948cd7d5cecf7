"""Whether what a training says of its model can be true of the labels that judge it.

A published system reports 90 % where its own confusion matrix has no more than chance: the answers were compared with
labels in another order. Such an evaluation looks like one of a bad model, but for the training's own figure.
"""

from pathlib import Path

import numpy as np
from scipy import stats

from components.fer.errors import InputError
from components.fer.metrics import scores

UNRELATED = 0.05
"""Cohen's kappa up to which answers are as good as unrelated to the labels; chance alone gives up to 0.02 on 3,589"""
CLAIMED = 0.2
"""kappa above which a claim is of more than a slight agreement (Landis and Koch, Biometrics 33, 1977)"""
SURELY = 1e-6
"""probability of so few hits, were the claim true: few images alone are no reason to stop"""


MEND = "Prepare the data, train and evaluate again from one source: dvc repro --force"


def check(claimed: float, answers: scores.Probabilities, label: scores.Labels, model: Path, history: Path) -> None:
    """Raise `InputError` where `answers` (N, E) have nothing to do with `label` (N,) and the training claims they have.

    `claimed` (0..1) is the PublicTest accuracy in the `history` of the training that made `model`.
    """
    if received := contradiction(claimed, answers, label):
        raise InputError(
            f"model {model}: its training claims an accuracy of {100 * claimed:.1f} % on PublicTest ({history}), "
            f"expected about that; received {received}.",
            MEND,
        )


def check_private(public: float, answers: scores.Probabilities, label: scores.Labels, model: Path) -> None:
    """The same for PrivateTest, by the accuracy (0..1) that `model` was just found to have on PublicTest."""
    if received := contradiction(public, answers, label):
        raise InputError(
            f"model {model}: expected about the accuracy on PrivateTest that it has on PublicTest, "
            f"{100 * public:.1f} %; received {received}.",
            MEND,
        )


def contradiction(claimed: float, answers: scores.Probabilities, label: scores.Labels) -> str:
    """What `answers` (N, E) come to where `label` (N,) contradicts an accuracy of `claimed` (0..1), or else nothing.

    On another data set a model may be worse than claimed, even much worse; that is a finding. Knowing nothing at all is
    none.
    """
    if not len(label):
        return ""
    prediction, expressions = scores.predicted(answers), answers.shape[1]
    hits, kappa = int(np.sum(prediction == label)), scores.cohen_kappa(label, prediction, expressions)
    share = [np.bincount(answer, minlength=expressions) / len(label) for answer in (prediction, label)]
    chance = float(share[0] @ share[1])
    high = claimed > chance + CLAIMED * (1 - chance)
    if kappa >= UNRELATED or not high or stats.binom.cdf(hits, len(label), claimed) >= SURELY:
        return ""
    found = f"{100 * hits / len(label):.1f} %, Cohen's kappa {kappa:.3f}"
    return f"{found}: as if labels or images were in another order"

"""All metrics of a model, as one tree: pure functions of its predictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EIGHT, expression_names
from components.fer.ferplus import NONE
from components.fer.metrics import bootstrap, calibration, mcnemar, scores

FORMS = {
    "full": "all of PrivateTest: comparable with papers",
    "clean_exact": "without the images that have an identical copy in Training",
    "clean_near": "without the images that have a nearly identical copy in Training",
}
"""The three forms of PrivateTest and what they leave out."""

RESAMPLED = {
    "accuracy": scores.accuracy,
    "balanced_accuracy": scores.balanced_accuracy,
    "macro_f1": scores.macro_f1,
}
"""The metrics that get an interval."""


EMPTY = {"n": 0, "accuracy": None, "reason": "No image of this data set is left in this form."}
"""What is said of a sample without an image."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Images that are measured together."""

    probabilities: scores.Probabilities
    """(N, E)"""
    label: scores.Labels
    """(N,)"""
    group: NDArray[np.int32]
    """(N,), equal exactly for identical images"""
    ferplus: NDArray[np.int64] | None
    """(N,), FER+ majority, index into `EIGHT`, -1 where there is none; None without votes"""

    def __len__(self) -> int:
        return len(self.label)

    @property
    def expressions(self) -> int:
        """How many expressions are answered: E, 7 or 8."""
        return int(self.probabilities.shape[1])

    def only(self, mask: NDArray[np.bool_]) -> Self:
        """The images that `mask` (N,) names."""
        votes = None if self.ferplus is None else self.ferplus[mask]
        return type(self)(self.probabilities[mask], self.label[mask], self.group[mask], votes)


@dataclass(frozen=True)
class Settings:
    """What is decided before PrivateTest is opened."""

    temperature: float
    """fitted on PublicTest"""
    majority: int
    """the most frequent expression of Training"""
    resamples: int
    """bootstrap resamples behind each interval"""
    seed: int
    """seed of the bootstrap"""


def measure_all(public: Sample, private: Mapping[str, Sample], settings: Settings) -> dict[str, Any]:
    """The tree of metrics.json: PublicTest, the forms of PrivateTest, and what was decided before it was opened.

    Shares are 0..1, likelihoods are in nats; floats have 6 digits. Tables are lists, which DVC leaves out of its own.
    """
    tree = {
        "public": measure(public, settings),
        "private": {name: measure(sample, settings) for name, sample in private.items()},
        "temperature": settings.temperature,
        "majority_baseline": {
            "expression": EIGHT[settings.majority],
            "public": _share(public.label == settings.majority),
            "private": {name: _share(sample.label == settings.majority) for name, sample in private.items()},
        },
        "resamples": settings.resamples,
        "seed": settings.seed,
    }
    return rounded(tree)


def measure_views(kind: str, public: Sample, private: Mapping[str, Sample], settings: Settings) -> dict[str, Any]:
    """The branch `views` of metrics.json: the figures with intervals of mean answers over views of a kind."""
    forms = {name: _headline(sample, settings) for name, sample in private.items()}
    return rounded({"kind": kind, "public": _headline(public, settings), "private": forms})


def measure_branch(hybrid: Sample, branch: scores.Probabilities, settings: Settings) -> dict[str, Any]:
    """How good a backbone, with its answers (N, E) to the same images, is by itself and beside the hybrid.

    McNemar's exact test says of the hybrid whether it is right more often; its gain in macro F1 has an interval.
    """
    label, prediction, other = hybrid.label, scores.predicted(hybrid.probabilities), scores.predicted(branch)
    expressions = max(hybrid.expressions, branch.shape[1])
    drawn = hybrid.group, settings.resamples, settings.seed
    gain = bootstrap.macro_f1_difference(label, prediction, other, expressions, *drawn)
    return {
        "accuracy": _share(other == label),
        **mcnemar.exact_test(prediction == label, other == label)._asdict(),
        "macro_f1": float(scores.macro_f1(scores.confusion_matrix(label, other, expressions))),
        "macro_f1_gain": gain.value,
        "macro_f1_gain_low": gain.low,
        "macro_f1_gain_high": gain.high,
    }


def measure(sample: Sample, settings: Settings) -> dict[str, Any]:
    """All metrics of one sample; where it is empty, only that and why."""
    if not len(sample):
        return dict(EMPTY)
    prediction = scores.predicted(sample.probabilities)
    confusion = scores.confusion_matrix(sample.label, prediction, sample.expressions)
    softened = calibration.scaled(sample.probabilities, settings.temperature)
    return {
        "n": len(sample),
        "copy_groups": len(np.unique(sample.group)),
        **_with_intervals(sample, confusion, settings),
        "top_2_accuracy": scores.top_2_accuracy(sample.probabilities, sample.label),
        "binary_accuracy": scores.binary_accuracy(sample.probabilities, sample.label),
        "cohen_kappa": scores.cohen_kappa(sample.label, prediction, sample.expressions),
        "negative_log_likelihood": scores.negative_log_likelihood(sample.probabilities, sample.label),
        "negative_log_likelihood_scaled": scores.negative_log_likelihood(softened, sample.label),
        "calibration_error": _calibration_error(sample.probabilities, sample.label),
        "calibration_error_scaled": _calibration_error(softened, sample.label),
        **({} if sample.ferplus is None else {"ferplus": _agreement(prediction, sample.ferplus, sample.expressions)}),
        "per_class": _per_class(confusion),
        "confusion": confusion,
    }


def _headline(sample: Sample, settings: Settings) -> dict[str, Any]:
    """The figures with intervals alone."""
    if not len(sample):
        return dict(EMPTY)
    confusion = scores.confusion_matrix(sample.label, scores.predicted(sample.probabilities), sample.expressions)
    return {"n": len(sample), **_with_intervals(sample, confusion, settings)}


def _with_intervals(sample: Sample, confusion: scores.Counts, settings: Settings) -> dict[str, float]:
    prediction = scores.predicted(sample.probabilities)
    resampled = bootstrap.resampled_confusions(
        sample.label, prediction, sample.expressions, sample.group, settings.resamples, settings.seed
    )
    figures: dict[str, float] = {}
    for name, metric in RESAMPLED.items():
        low, high = bootstrap.percentile_interval(metric(resampled))
        figures |= {name: float(metric(confusion)), f"{name}_low": low, f"{name}_high": high}
    return figures


def _calibration_error(probabilities: scores.Probabilities, label: scores.Labels) -> float:
    return calibration.expected_calibration_error(calibration.reliability(probabilities, label))


def _agreement(prediction: scores.Labels, ferplus: NDArray[np.int64], expressions: int) -> dict[str, Any]:
    """Accuracy against the FER+ majority, on the `n` images whose majority is one of the expressions answered."""
    decided = (ferplus != NONE) & (ferplus < expressions)
    return {"n": int(decided.sum()), "accuracy": _share((prediction == ferplus)[decided])}


def _per_class(confusion: scores.Counts) -> list[dict[str, Any]]:
    """One row an expression; `confused_with` is the wrong expression most often predicted for it."""
    partner = scores.most_confused(confusion)
    columns = {
        "expression": expression_names(len(confusion)),
        "support": confusion.sum(axis=1),
        "precision": scores.precision(confusion),
        "recall": scores.recall(confusion),
        "f1": scores.f1(confusion),
        "confused_with": [EIGHT[other] if other >= 0 else None for other in partner],
        "confused": [int(row[other]) if other >= 0 else 0 for row, other in zip(confusion, partner, strict=True)],
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _share(hits: NDArray[np.bool_]) -> float | None:
    return float(hits.mean()) if hits.size else None


def rounded(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A tree as JSON has it: plain Python, floats with 6 digits, None for what is not a number."""
    return {key: _rounded(entry) for key, entry in tree.items()}


def _rounded(value: Any) -> Any:
    match value:
        case dict():
            return rounded(value)
        case list() | np.ndarray():
            return [_rounded(entry) for entry in value]
        case np.integer():
            return int(value)
        case float() | np.floating():
            return round(float(value), 6) if np.isfinite(value) else None
    return value

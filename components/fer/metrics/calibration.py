"""How far probabilities can be believed, and the temperature that mends them.

Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from components.fer.metrics.bootstrap import Groups
from components.fer.metrics.scores import Floats, Labels, Probabilities, predicted

BINS = 15


@dataclass(frozen=True, eq=False)
class Reliability:
    """Images sorted into bins of equal width by the probability of their predicted expression."""

    confidence: Floats
    """(bins,), mean probability of the predicted expression; NaN where the bin is empty"""
    accuracy: Floats
    """(bins,), share of images that are right; NaN where the bin is empty"""
    count: NDArray[np.int64]
    """(bins,), images"""


def reliability(probabilities: Probabilities, label: Labels, bins: int = BINS) -> Reliability:
    """Sort images into `bins` bins (0, 1/bins], (1/bins, 2/bins], ... of confidence."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = predicted(probabilities) == label
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    whole = np.where(count > 0, count, np.nan)
    return Reliability(
        np.bincount(place, confidence, minlength=bins) / whole,
        np.bincount(place, right, minlength=bins) / whole,
        count.astype(np.int64),
    )


def expected_calibration_error(table: Reliability) -> float:
    """Mean distance of accuracy and confidence over bins, weighted by images: 0 (honest) to 1."""
    gap = np.nan_to_num(np.abs(table.accuracy - table.confidence))
    return float(gap @ table.count / table.count.sum())


def scaled(probabilities: Probabilities, temperature: float) -> Floats:
    """Probabilities (N, E) whose logarithms are divided by `temperature`: softer above 1, sharper below."""
    softened: Floats = special.softmax(_logits(probabilities) / temperature, axis=1)
    return softened


def fit_temperature(probabilities: Probabilities, label: Labels) -> float:
    """The temperature in 0.05..20 with the least negative log likelihood; 1 where none does better."""
    logits = _logits(probabilities)
    actual = logits[np.arange(len(label)), label]

    def loss(inverse: float) -> float:
        # Not scikit-learn's log_loss, which clips: flat where a model is sure and wrong, it leads the search astray.
        return float(np.mean(special.logsumexp(inverse * logits, axis=1) - inverse * actual))

    # The loss is convex in the inverse temperature, so the one minimum that the search finds is the least.
    found = optimize.minimize_scalar(loss, bounds=(0.05, 20), method="bounded")
    return float(1 / found.x) if loss(1.0) - found.fun > np.finfo(np.float64).eps else 1.0


def _logits(probabilities: Probabilities) -> Floats:
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny).astype(np.float64))


def cross_fitted(probabilities: Probabilities, label: Labels, group: Groups) -> Floats:
    """Probabilities (N, E) scaled by a temperature that no image had a part in: each half by the other half's.

    Every other group of copies is in the same half, so that no image is scaled by what its copy taught. For a figure
    on the very images that the temperature is fitted on; where there is one group alone, nothing is fitted.
    """
    half = np.unique(group, return_inverse=True)[1] % 2 == 1
    scaled_halves = probabilities.astype(np.float64)
    if half.any():
        for mine in (half, ~half):
            scaled_halves[mine] = scaled(probabilities[mine], fit_temperature(probabilities[~mine], label[~mine]))
    return scaled_halves

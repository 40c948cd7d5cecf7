"""How often a classifier is right.

A confusion matrix of E = 7 or 8 expressions holds counts, (..., E, E), rows actual and columns predicted. What follows
from it takes any number of them at once, for the bootstrap has ten thousand; scikit-learn has the same for one, and the
tests hold both equal.
An average over expressions is over those that occur: one without an image has no recall to speak of.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Labels = NDArray[np.integer[Any]]
"""(N,), index into `EIGHT` of components.fer.dataset"""
Probabilities = NDArray[np.floating[Any]]
"""(N, E), in the order of `EIGHT`; a row sums to 1"""


def predicted(probabilities: Probabilities) -> NDArray[np.intp]:
    """The most probable expression of each image (N,)."""
    return np.asarray(probabilities.argmax(axis=1))


def confusion_matrix(label: Labels, prediction: Labels, expressions: int) -> Counts:
    """Counts (E, E) of as many `expressions`: rows actual, columns predicted."""
    counts: Counts = metrics.confusion_matrix(label, prediction, labels=np.arange(expressions))
    return counts


def row_normalised(confusion: Counts) -> Floats:
    """Shares of each actual expression; NaN where it does not occur."""
    return _ratio(confusion, confusion.sum(axis=-1, keepdims=True))


def accuracy(confusion: Counts) -> Floats:
    """Share of images that are right."""
    return _ratio(_hits(confusion).sum(axis=-1), confusion.sum(axis=(-2, -1)))


def recall(confusion: Counts) -> Floats:
    """Share of each actual expression that is found, (..., E); NaN where it does not occur."""
    return _ratio(_hits(confusion), confusion.sum(axis=-1))


def precision(confusion: Counts) -> Floats:
    """Share of each predicted expression that is right, (..., E); NaN where it is never predicted."""
    return _ratio(_hits(confusion), confusion.sum(axis=-2))


def f1(confusion: Counts) -> Floats:
    """Harmonic mean of precision and recall, (..., E); NaN where the expression does not occur."""
    actual = confusion.sum(axis=-1)
    return np.where(actual > 0, _ratio(2 * _hits(confusion), actual + confusion.sum(axis=-2)), np.nan)


def balanced_accuracy(confusion: Counts) -> Floats:
    """Mean recall of the expressions that occur."""
    return np.asarray(np.nanmean(recall(confusion), axis=-1))


def macro_f1(confusion: Counts) -> Floats:
    """Mean F1 of the expressions that occur."""
    return np.asarray(np.nanmean(f1(confusion), axis=-1))


def most_confused(confusion: Counts) -> Labels:
    """For each actual expression of one matrix the wrong one that is predicted most often, (E,); -1 where none is."""
    wrong = confusion * (1 - np.eye(len(confusion), dtype=np.int64))
    return np.where(wrong.any(axis=1), wrong.argmax(axis=1), -1)


def cohen_kappa(label: Labels, prediction: Labels, expressions: int) -> float:
    """Agreement beyond chance (Cohen 1960): 0 for a guess with the right frequencies; NaN where there is one class."""
    if len(np.union1d(label, prediction)) == 1:
        return float("nan")
    return float(metrics.cohen_kappa_score(label, prediction, labels=np.arange(expressions)))


def top_2_accuracy(probabilities: Probabilities, label: Labels) -> float:
    """Share of images whose label is among the two most probable expressions."""
    return float(metrics.top_k_accuracy_score(label, probabilities, k=2, labels=_all(probabilities)))


def binary_accuracy(probabilities: Probabilities, label: Labels) -> float:
    """Share of the N * E one-hot cells on the right side of 0.5: what Keras' BinaryAccuracy and paper S4 call accuracy.

    Never answering above 0.5 gives 6/7 = 85.7 % of seven, so the figure says little; it is to be compared with papers.
    """
    return float(((probabilities > 0.5) == np.eye(probabilities.shape[1], dtype=bool)[label]).mean())


def negative_log_likelihood(probabilities: Probabilities, label: Labels) -> float:
    """Mean of -ln p(label), in nats; float32 rows are normalised again in float64."""
    exact = probabilities.astype(np.float64)
    return float(metrics.log_loss(label, exact / exact.sum(axis=1, keepdims=True), labels=_all(probabilities)))


def majority_class(label: Labels) -> int:
    """The most frequent expression, the first of equals."""
    return int(np.bincount(label).argmax())


def _all(probabilities: Probabilities) -> NDArray[np.intp]:
    """The numbers of the expressions of probabilities (N, E): (E,)."""
    return np.arange(probabilities.shape[1])


def _hits(confusion: Counts) -> Counts:
    return np.diagonal(confusion, axis1=-2, axis2=-1)


def _ratio(part: Counts, whole: Counts) -> Floats:
    """`part / whole`, NaN where `whole` is 0."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)

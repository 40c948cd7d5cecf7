"""Which slices an image belongs to, and how often evaluate's answers are right in each: pure functions of arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EIGHT, Masks

Texts = NDArray[np.str_]
Columns = Mapping[str, Texts]
"""Value of each image (N,) by the name of the feature that slices."""

Slice = tuple[str, str]
"""A feature and its value; two empty texts are all images."""

OVERALL: Slice = ("", "")

BRIGHTNESS = ("dark", "medium", "bright")
"""Thirds of the range of a pixel's mean."""

CLEAR = 0.8
"""share of an image's FER+ votes from which its most frequent answer is clear; above a half it has a majority"""

CERTAINTY = ("divided", "majority", "clear")


@dataclass(frozen=True)
class Count:
    """Images of a slice, and how many of them are right."""

    images: int
    right: int

    @property
    def accuracy(self) -> float:
        """Share of the images that are right; every slice has an image."""
        return self.right / self.images


def columns(
    label: NDArray[np.integer[Any]], row: NDArray[np.integer[Any]], masks: Masks, certainty: Texts | None
) -> dict[str, Texts]:
    """The slices by label, copies and, where there are FER+ votes, certainty of the images at `row` (N,)."""
    found = {
        "expression": np.array(EIGHT)[label],
        "clean_exact": _yes_or_no(masks.clean_exact[row]),
        "clean_near": _yes_or_no(masks.clean_near[row]),
    }
    return found if certainty is None else {**found, "certainty": certainty[row]}


def brightness(mean: NDArray[np.floating[Any]]) -> Texts:
    """The band of images whose pixels have these means (N,), 0..255."""
    found: Texts = np.array(BRIGHTNESS)[(mean * len(BRIGHTNESS) / 256).astype(np.intp)]
    return found


def certainty(votes: NDArray[np.integer[Any]]) -> Texts:
    """How sure the people of FER+ were, from an image's votes (N, 10): its most frequent answer's share of them.

    Contempt, unknown and not a face are answers too. An image without votes is divided.
    """
    share = votes.max(axis=1) / np.maximum(votes.sum(axis=1), 1)
    found: Texts = np.array(CERTAINTY)[(share > 0.5).astype(np.intp) + (share >= CLEAR)]
    return found


def counts(right: NDArray[np.bool_], sliced: Columns) -> dict[Slice, Count]:
    """Images and right answers, of which `right` (N,) says each, in all and in every slice that occurs."""
    found = {OVERALL: Count(len(right), int(right.sum()))} if len(right) else {}
    for feature, values in sliced.items():
        for value in np.unique(values):
            part = right[values == value]
            found[feature, str(value)] = Count(len(part), int(part.sum()))
    return found


def named(one: Slice) -> str:
    """A slice as a reader would say it."""
    feature, value = one
    return f"{feature} {value}" if feature else "all images"


def _yes_or_no(mask: NDArray[np.bool_]) -> Texts:
    return np.where(mask, "yes", "no")

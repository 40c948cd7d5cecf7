"""Finds what is wrong with a data set: copies, near copies, conflicting labels, constant images."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EIGHT, SPLITS, Faces, Masks

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Rows = NDArray[np.int32]

TRAINING, PUBLIC, PRIVATE = range(len(SPLITS))

BLOCK = 256
"""Test images correlated with all Training images at a time: two tables of products, 29 MB each for FER2013."""


def masks(faces: Faces, near_correlation: float) -> Masks:
    """Say for each image what it is a copy of; a copy counts as near from `near_correlation` on."""
    group = copy_group(faces.images)
    near = correlation_with_training(faces.images, faces.usage)
    in_training = np.isin(group, group[faces.usage == TRAINING])
    clean_exact = ~in_training | (faces.usage == TRAINING)
    return Masks(
        clean_exact=clean_exact,
        clean_near=clean_exact & ~(near >= near_correlation),  # NaN, for Training, compares false
        constant=constant(faces.images),
        conflict=conflict(group, faces.label),
        copy_group=group,
        near_correlation=near,
    )


def copy_group(images: NDArray[np.uint8]) -> Rows:
    """Give for each of the images (N, 48, 48) the row of the first one identical to it: int32 (N,)."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(image.tobytes(), row) for row, image in enumerate(images)], np.int32)


def constant(images: NDArray[np.uint8]) -> Bools:
    """Find the images (N, 48, 48) whose pixels are all equal: bool (N,)."""
    found: Bools = images.min(axis=(1, 2)) == images.max(axis=(1, 2))
    return found


def conflict(group: Rows, label: NDArray[np.uint8]) -> Bools:
    """Find the images of which an identical one bears another label: bool (N,)."""
    lowest = np.full(len(group), 255, np.uint8)
    highest = np.zeros(len(group), np.uint8)
    np.minimum.at(lowest, group, label)
    np.maximum.at(highest, group, label)
    found: Bools = lowest[group] != highest[group]
    return found


def same_label_in_training(faces: Faces, group: Rows) -> Bools:
    """Find the images of which an identical one in Training bears the same label: bool (N,)."""
    labelled = group * len(EIGHT) + faces.label
    return np.isin(labelled, labelled[faces.usage == TRAINING])


class Halves(NamedTuple):
    """Scaled small images, split into what a mirror leaves (even) and what it negates (odd): each (N, 288)."""

    even: Floats
    odd: Floats


def halves(images: NDArray[np.uint8]) -> Halves:
    """Average images (N, 48, 48) over 2x2 pixels, take off the mean, scale to length 1, and split by symmetry.

    A constant image has no direction: it becomes zero, and so correlates with nothing.
    """
    pairs = images[:, :, 0::2].astype(np.uint16) + images[:, :, 1::2]
    small = (pairs[:, 0::2] + pairs[:, 1::2]).astype(np.float32)
    small -= small.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt(np.square(small).sum(axis=(1, 2), keepdims=True))
    small /= np.maximum(length, np.float32(0.5))  # sums of whole numbers: a length is 0, exactly, or near 1 at least
    left, right = small[:, :, :12], small[:, :, :11:-1]
    scale = np.float32(np.sqrt(0.5))
    count = len(images)
    return Halves(((left + right) * scale).reshape(count, -1), ((left - right) * scale).reshape(count, -1))


def correlation_with_training(images: NDArray[np.uint8], usage: NDArray[np.uint8]) -> Floats:
    """Give each test image's greatest correlation with a Training image or its mirror image: float32 (N,).

    Correlation is the dot product of `halves`; NaN for Training images. A mirror negates the odd half, so the greater
    of the two products is even + |odd|: both for the price of one.
    """
    training = halves(images[usage == TRAINING])
    greatest = np.full(len(images), np.nan, np.float32)
    test = np.flatnonzero(usage != TRAINING)
    for rows in np.array_split(test, -(-len(test) // BLOCK)):
        block = halves(images[rows])
        products = block.odd @ training.odd.T
        np.abs(products, out=products)
        products += block.even @ training.even.T
        greatest[rows] = products.max(axis=1)
    return greatest

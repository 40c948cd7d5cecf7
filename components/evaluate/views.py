"""Views of an image at test time: a model's mean answer over them is often better than its answer to the image alone.

Source of the ten crops: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012, section 4.1; cropping a face of 48 pixels would cut it, so here it is shifted instead.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import SIDE, Predictions

Kind = Literal["none", "flip", "ten_crop"]

SHIFT = 3
"""pixels by which a face is shifted, down or up and right or left at once"""

Ask = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Probabilities (N, E) of images (N, 48, 48, 1)."""


def over(answer: Predictions, images: NDArray[np.uint8], kind: Kind, ask: Ask) -> Predictions:
    """`answer` about images (N, 48, 48, 1), with the mean probabilities over their views instead."""
    said = [answer.probabilities, *(ask(view) for view in others(images, kind))]
    return replace(answer, probabilities=np.mean(said, axis=0))


def others(images: NDArray[np.uint8], kind: Kind) -> Iterator[NDArray[np.uint8]]:
    """The views of images (N, 48, 48, 1) beside the images themselves, each of the same shape.

    flip: mirrored; ten_crop: mirrored, shifted to the four corners with the border repeated, and those mirrored.
    """
    if kind == "none":
        return
    yield mirrored(images)
    if kind == "ten_crop":
        padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
        for top in (0, 2 * SHIFT):
            for left in (0, 2 * SHIFT):
                shifted = padded[:, top : top + SIDE, left : left + SIDE]
                yield shifted
                yield mirrored(shifted)


def mirrored(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images (N, 48, 48, 1) with left and right exchanged."""
    return images[:, :, ::-1]

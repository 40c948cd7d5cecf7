"""Photographs of any size and colour as the small grey images of a data set."""

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.fer.dataset import SIDE, Faces
from components.fer.pace import told
from components.validate.source import Faults

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning)
"""What Pillow raises on damaged files, and on those of more pixels than any photograph of a face has."""


class Box(NamedTuple):
    """A rectangle of a photograph, in pixels from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


class Photograph(NamedTuple):
    """A photograph as a data set's lists name it."""

    file: Path
    label: int
    """index into `EIGHT`"""
    usage: int
    """index into `USAGES`"""
    box: Box | None = None
    """where the face is; the whole photograph without one"""


def read(root: Path, listed: Sequence[Photograph], faults: Faults) -> Faces:
    """Read the photographs in their order, crop them to their boxes, and make them grey images of 48 x 48.

    What cannot be read is noted among `faults`, by its path from `root`, and left out.
    """
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool, warnings.catch_warnings():  # Pillow frees the GIL
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        found = list(told(pool.map(_image, listed), f"reading {root}", len(listed)))
    for photograph, image in zip(listed, found, strict=True):
        if isinstance(image, str):
            faults.add(photograph.file.relative_to(root).as_posix(), "a photograph of a face (PNG or JPEG)", image)
    whole = [(image, photograph) for image, photograph in zip(found, listed, strict=True) if not isinstance(image, str)]
    return Faces(
        images=np.array([image for image, _ in whole], np.uint8).reshape(-1, SIDE, SIDE),
        label=np.array([photograph.label for _, photograph in whole], np.uint8),
        usage=np.array([photograph.usage for _, photograph in whole], np.uint8),
    )


def _image(photograph: Photograph) -> NDArray[np.uint8] | str:
    """Read one photograph: (48, 48), or what is there instead."""
    if not photograph.file.exists():
        return "nothing"
    try:
        with Image.open(photograph.file, formats=("PNG", "JPEG")) as image:
            grey = image.convert("L")
    except UNREADABLE:
        return "a file that is damaged or no image"
    if photograph.box:
        left, top, right, bottom = map(round, photograph.box)
        box = (max(left, 0), max(top, 0), min(right, grey.width), min(bottom, grey.height))
        if box[0] >= box[2] or box[1] >= box[3]:
            return f"one of {grey.width} x {grey.height} with the face beyond its edge"
        grey = grey.crop(box)
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC))  # shrinks by the mean of what a pixel covers

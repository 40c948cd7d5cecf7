"""Images of one face in several poses, named by the user: what does the model say about each?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from components.fer.dataset import EIGHT, SIDE, expression_names
from components.fer.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg")
MEND = "Give images front.png, right.png ..., or set evaluate.poses to ''."


def read(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """The images of a folder by the names of their files, each uint8 (48, 48, 1): grey, the square in the middle.

    Raises `InputError` where there is no such folder, no image in it, or one that cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise InputError(f"poses {folder}: {error.strerror}.", MEND) from error
    if not paths:
        raise InputError(f"poses {folder}: expected images ({', '.join(SUFFIXES)}), found none.", MEND)
    return {path.stem: _face(path) for path in paths}


def table(probabilities: Mapping[str, NDArray[np.float32]]) -> list[dict[str, Any]]:
    """One row a pose: its name, the expression answered, and the probability (E,) of each expression."""
    return [
        {"pose": name, "answer": EIGHT[row.argmax()], **dict(zip(expression_names(len(row)), row, strict=True))}
        for name, row in probabilities.items()
    ]


def _face(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("L")  # as a camera was held
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"pose {path}: expected an image, received: {error}.", MEND) from error
    face = ImageOps.fit(upright, (SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(face, dtype=np.uint8)[..., None]

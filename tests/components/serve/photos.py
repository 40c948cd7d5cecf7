"""Photos for tests: the one that comes with Matplotlib, and ways to write one."""

import io
from functools import cache
from typing import Any

import numpy as np
from matplotlib import cbook
from numpy.typing import NDArray
from PIL import Image

FACE = (139, 100, 259, 259)
"""left, top, width and height of the face in `photo`"""


@cache
def photo() -> Image.Image:
    """Grace Hopper in 1984, RGB, 512 x 600 pixels."""
    with Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as picture:
        return picture.convert("RGB")


def written(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """The picture as a file of a format."""
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Correlation of two images."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def near(found: tuple[int, int, int, int] | None, expected: tuple[float, ...]) -> bool:
    """Whether a face is where it should be, to a fifth of it: the detector looks in steps of place and of size."""
    assert found is not None
    apart = np.abs(
        np.subtract(
            np.add(found[:2], np.multiply(found[2:], 0.5)), np.add(expected[:2], np.multiply(expected[2:], 0.5))
        )
    )
    return bool((apart < 0.2 * expected[2]).all()) and 0.75 < found[2] / expected[2] < 1.33

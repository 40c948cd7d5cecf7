"""Smooths images."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter


def median_filtered(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Replace each pixel of images (N, H, W) by the median of the `side` x `side` pixels around it.

    Pixels of an edge stand for those beyond it.
    """
    window = ImageFilter.MedianFilter(side)
    return np.array([np.asarray(Image.fromarray(image).filter(window)) for image in images], np.uint8).reshape(
        images.shape
    )

"""One row of facts for each image: what the expectations speak of."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from components.fer.dataset import EIGHT, USAGES, Faces, Masks
from components.validate.audit import TRAINING, same_label_in_training


def facts(faces: Faces, masks: Masks) -> pd.DataFrame:
    """Tabulate what is known of each image, in the order of `faces`.

    `mean` and `contrast` (standard deviation) are in grey levels, 0 to 255.
    """
    group = masks.copy_group
    mean, contrast = brightness(faces)
    table = pd.DataFrame(
        {
            "row": np.arange(len(faces.label)),
            "label": np.array(EIGHT)[faces.label],
            "usage": np.array(USAGES)[faces.usage],
            "mean": mean,
            "contrast": contrast,
            "constant": masks.constant,
            "conflict": masks.conflict,
            "copies": np.bincount(group)[group],
            "first_of_copies": group == np.arange(len(group)),
            "copies_lie_in": _splits_of_copies(faces, masks),
            "copy_in_training": np.isin(group, group[faces.usage == TRAINING]),
            "same_label_in_training": same_label_in_training(faces, group),
            "near_correlation": masks.near_correlation,
        }
    )
    table["first_in_usage"] = ~pd.DataFrame({"usage": faces.usage, "group": group}).duplicated()
    return table


def brightness(faces: Faces) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give mean and standard deviation of each image: float64 (N,) each, in grey levels."""
    pixels = faces.images.reshape(len(faces.images), -1)
    # einsum widens in small pieces: a float copy of the data set would take 660 MB. Squares of an image sum to less
    # than 2 ** 28.
    mean = np.einsum("ij->i", pixels, dtype=np.uint32) / pixels.shape[1]
    square = np.einsum("ij,ij->i", pixels, pixels, dtype=np.uint32) / pixels.shape[1]
    return mean, np.sqrt(np.maximum(square - mean**2, 0))


def _splits_of_copies(faces: Faces, masks: Masks) -> NDArray[np.str_]:
    """Name the splits in which an identical image lies, such as `Training, PrivateTest`."""
    bits = np.zeros(len(masks.copy_group), np.uint8)
    np.bitwise_or.at(bits, masks.copy_group, np.uint8(1) << faces.usage)
    names = [", ".join(usage for i, usage in enumerate(USAGES) if code >> i & 1) for code in range(2 ** len(USAGES))]
    return np.array(names)[bits[masks.copy_group]]

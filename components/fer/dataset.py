"""The data set as arrays: expressions, splits, and the two containers that the stages hand on."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Label order of the official csv."""

USAGES = ("Training", "PublicTest", "PrivateTest")
"""Values of the csv's Usage column; their order is the order of `SPLITS`."""

SPLITS = ("training", "public", "private")
"""Training fits, public decides everything, private is read by evaluate alone."""

SIDE = 48
"""Height and width of an image in pixels."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """Named arrays of one length, kept as an `.npz` without pickled objects."""

    def save(self, path: Path) -> None:
        """Write all fields, uncompressed (faces are noise to a compressor: it saves a third and costs seconds)."""
        with path.open("wb") as file:  # a file object: np.savez appends .npz to any other name
            np.savez(file, allow_pickle=False, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})


@dataclass(frozen=True, eq=False)
class Faces(Arrays):
    """The whole data set in the order of its source."""

    images: NDArray[np.uint8]
    """(N, 48, 48), grey"""
    label: NDArray[np.uint8]
    """(N,), index into `EXPRESSIONS`"""
    usage: NDArray[np.uint8]
    """(N,), index into `USAGES`"""


@dataclass(frozen=True, eq=False)
class Masks(Arrays):
    """What the audit found, one entry per image, in the order of `Faces`."""

    clean_exact: NDArray[np.bool_]
    """(N,), a PublicTest or PrivateTest image without an identical copy in Training; true for every Training image"""
    clean_near: NDArray[np.bool_]
    """(N,), the same with copies at a correlation of at least the audit's threshold"""
    constant: NDArray[np.bool_]
    """(N,), all pixels equal"""
    conflict: NDArray[np.bool_]
    """(N,), an identical image bears another label"""
    copy_group: NDArray[np.int32]
    """(N,), row of the first identical image: equal exactly for identical images"""
    near_correlation: NDArray[np.float32]
    """(N,), greatest correlation with a Training image or its mirror image; NaN for Training images"""


@dataclass(frozen=True, eq=False)
class Split:
    """One split of the prepared data set."""

    images: NDArray[np.uint8]
    """(N, 48, 48, 1)"""
    label: NDArray[np.uint8]
    """(N,)"""
    row: NDArray[np.int32]
    """(N,), row in the source, which joins predictions with masks and with FER+ votes"""

    def __len__(self) -> int:
        return len(self.label)


Prepared = Mapping[str, Split]
"""The prepared data set: a `Split` for each name in `SPLITS`."""

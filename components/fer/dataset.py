"""The data set as arrays: expressions, splits, and the two containers that the stages hand on."""

import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from components.fer.errors import InputError

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""Label order of the official csv."""

EIGHT = (*EXPRESSIONS, "contempt")
"""Those of AffectNet, CK+ and FER+: FER2013's and, behind them, one that it has not."""

CONTEMPT = EIGHT.index("contempt")

USAGES = ("Training", "PublicTest", "PrivateTest")
"""Values of the csv's Usage column; their order is the order of `SPLITS`."""

SPLITS = ("training", "public", "private")
"""Training fits, public decides everything, private is read by evaluate alone."""

SIDE = 48
"""Height and width of an image in pixels."""

MEND = "Write it again: dvc repro"

DAMAGE = (
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    MemoryError,
)
"""What NumPy and zipfile raise on a damaged `.npz`."""


def expression_names(count: int) -> tuple[str, ...]:
    """The expressions of a data set or a model that has `count` of them. Raises `InputError` unless it is 7 or 8."""
    if count not in (len(EXPRESSIONS), len(EIGHT)):
        raise InputError(f"expressions: expected {len(EXPRESSIONS)} or {len(EIGHT)}, received {count}.")
    return EIGHT[:count]


def expression_count(*labels: NDArray[np.integer[Any]]) -> int:
    """How many expressions images with these labels (N,) have: 8 where any of them is contempt, 7 else."""
    return len(EIGHT) if any((label == CONTEMPT).any() for label in labels) else len(EXPRESSIONS)


@dataclass(frozen=True, eq=False)
class Columns:
    """Named arrays of one length.

    A field's annotation gives its dtype; its metadata, where needed, the `shape` of one entry or the `shapes` that it
    may have, and what all values lie `below`.
    """

    @classmethod
    def checked(cls, arrays: Mapping[str, object], where: str) -> Self:
        """Make one of `arrays` from anywhere.

        Raises `InputError`, which begins with `where`, if a name, dtype, shape, length or value is not as declared.
        """
        names = [field.name for field in fields(cls)]
        if set(arrays) != set(names):
            received = ", ".join(sorted(map(str, arrays)))[:200] or "nothing"
            raise InputError(f"{where}: expected the arrays {', '.join(names)}, received {received}.", MEND)
        hints = get_type_hints(cls)
        columns = {
            field.name: _column(arrays[field.name], hints[field.name], field.metadata, f"{where}, {field.name}")
            for field in fields(cls)
        }
        if len({len(column) for column in columns.values()}) > 1:
            received = ", ".join(f"{name} {len(column):,}" for name, column in columns.items())
            raise InputError(f"{where}: expected arrays of one length, received {received}.", MEND)
        return cls(**columns)

    def columns(self) -> dict[str, NDArray[Any]]:
        """All arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))


def _column(array: object, hint: Any, declared: Mapping[str, Any], where: str) -> NDArray[Any]:
    """Hand `array` through if it is as annotated and declared."""
    while arguments := get_args(hint):  # T is the innermost of NDArray[T], which is ndarray[shape, dtype[T]]
        hint = arguments[-1]
    dtype = np.dtype(hint)
    entries: tuple[tuple[int, ...], ...] = declared.get("shapes", (declared.get("shape", ()),))
    if not isinstance(array, np.ndarray):
        raise InputError(f"{where}: expected {_described(dtype, entries)}, received {type(array).__name__}.", MEND)
    if array.dtype != dtype or array.ndim == 0 or array.shape[1:] not in entries:
        received = f"{array.dtype} {array.shape}"
        raise InputError(f"{where}: expected {_described(dtype, entries)}, received {received}.", MEND)
    below: int | None = declared.get("below")
    if below is not None and (wrong := array[(array < 0) | (array >= below)]).size:
        raise InputError(f"{where}: expected 0 to {below - 1}, received {wrong[0]}.", MEND)
    return array


def _described(dtype: np.dtype[Any], entries: Iterable[tuple[int, ...]]) -> str:
    """Write dtype and shapes as NumPy does, with N for the length."""
    shapes = (f"({', '.join(['N', *map(str, entry)])}{'' if entry else ','})" for entry in entries)
    return f"{dtype} {' or '.join(shapes)}"


@dataclass(frozen=True, eq=False)
class Arrays(Columns):
    """Columns kept as an `.npz` without pickled objects."""

    def save(self, path: Path) -> None:
        """Write all fields, uncompressed (faces are noise to a compressor: it saves a third and costs seconds)."""
        with path.open("wb") as file:  # a file object: np.savez appends .npz to any other name
            np.savez(file, allow_pickle=False, **self.columns())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; raises `InputError` where it is absent or holds anything else."""
        where = f"{cls.__name__.lower()} {path}"
        try:
            with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as arrays:
                return cls.checked({name: arrays[name] for name in arrays}, where)
        except OSError as error:
            raise InputError(f"{where}: cannot be read ({error.strerror or error}).", MEND) from error
        except DAMAGE as error:
            raise InputError(f"{where}: damaged, or no .npz of arrays ({error}).", MEND) from error


@dataclass(frozen=True, eq=False)
class Faces(Arrays):
    """The whole data set in the order of its source."""

    images: NDArray[np.uint8] = field(metadata={"shape": (SIDE, SIDE)})
    """(N, 48, 48), grey"""
    label: NDArray[np.uint8] = field(metadata={"below": len(EIGHT)})
    """(N,), index into `EIGHT`"""
    usage: NDArray[np.uint8] = field(metadata={"below": len(USAGES)})
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
class Predictions(Arrays):
    """What a model says about PublicTest and PrivateTest images, one entry per image."""

    row: NDArray[np.int32]
    """(N,), row in the source"""
    label: NDArray[np.uint8] = field(metadata={"below": len(EIGHT)})
    """(N,), index into `EIGHT`"""
    usage: NDArray[np.uint8] = field(metadata={"below": len(USAGES)})
    """(N,), index into `USAGES`"""
    probabilities: NDArray[np.float32] = field(metadata={"shapes": ((len(EXPRESSIONS),), (len(EIGHT),))})
    """(N, 7) or (N, 8), in the order of `EIGHT`; a row sums to 1"""

    @classmethod
    def checked(cls, arrays: Mapping[str, object], where: str) -> Self:
        """As for any columns; no label may lie beyond the probabilities."""
        found = super().checked(arrays, where)
        width = found.probabilities.shape[1]
        if expression_count(found.label) > width:
            raise InputError(f"{where}, label: expected 0 to {width - 1}, received {CONTEMPT}.", MEND)
        return found


@dataclass(frozen=True, eq=False)
class Split(Columns):
    """One split of the prepared data set."""

    images: NDArray[np.uint8] = field(metadata={"shape": (SIDE, SIDE, 1)})
    """(N, 48, 48, 1)"""
    label: NDArray[np.uint8] = field(metadata={"below": len(EIGHT)})
    """(N,), index into `EIGHT`"""
    row: NDArray[np.int32] = field(metadata={"below": 2**31})
    """(N,), row in the source, which joins predictions with masks and with FER+ votes"""


Prepared = Mapping[str, Split]
"""The prepared data set: a `Split` for each name in `SPLITS`."""


def expressions_of(prepared: Prepared) -> int:
    """How many expressions a prepared data set has, and so a model that is trained on it."""
    return expression_count(*(split.label for split in prepared.values()))

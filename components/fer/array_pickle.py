"""A pickle of NumPy arrays, and a reader of it that nothing else can pass.

To unpickle is to run a small program that may call whatever it names. Three gates stand before that: the program is
read without being run, and refused where it is longer than it need be or has an operation that arrays do not need; the
two names that arrays do need are answered by functions of this module, never by NumPy's, whose dtypes and buffers are
not built to withstand hostile arguments; and these functions take no other arguments than those of plain arrays.
"""

import io
import math
import pickle
import pickletools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.errors import FerflowError, InputError

DTYPES: Mapping[str, np.dtype[Any]] = {"u1": np.dtype(np.uint8), "i4": np.dtype("<i4")}
"""The dtypes that pass, by the names that a pickle gives them."""

MOST_BYTES = 2**30
"""FER2013 takes 83 million."""

MOST_OPERATIONS = 2000
"""Nine arrays take about 200; the limit keeps nesting and memory in bounds."""

OPERATIONS = {
    *("PROTO", "FRAME", "STOP", "MEMOIZE", "BINGET", "LONG_BINGET"),
    *("EMPTY_DICT", "SETITEM", "SETITEMS", "MARK", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "SHORT_BINUNICODE", "BYTEARRAY8"),
    *("STACK_GLOBAL", "REDUCE", "BUILD"),
}
"""What protocol 5 needs for dictionaries of contiguous arrays."""

MEND = "If it comes from elsewhere, do not trust it. Write it again: dvc repro"

Tree = Mapping[str, Mapping[str, NDArray[Any]]]


def dump(tree: Tree, path: Path) -> None:
    """Write a dictionary of dictionaries of arrays, the same bytes for the same content."""
    plain = {outer: {name: _plain(array) for name, array in arrays.items()} for outer, arrays in tree.items()}
    with path.open("wb") as file:
        pickle.dump(plain, file, protocol=5)


def load(path: Path) -> object:
    """Read what `dump` wrote.

    Raises `InputError` for anything else, before any of it can run. That arrays and keys are the wished ones is for
    the caller to check.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"pickle {path}: {size:,} bytes, expected at most {MOST_BYTES:,}.", MEND)
    program = path.read_bytes()
    try:
        _inspect(program)
        return _Unpickler(io.BytesIO(program)).load()
    except _Refused as error:
        raise InputError(f"pickle {path}: {error}.", MEND) from None
    except FerflowError:  # SIGTERM arrives as one
        raise
    except Exception as error:  # a damaged pickle may raise anything, says the documentation of pickle
        raise InputError(f"pickle {path}: cut short or damaged ({error}).", MEND) from None


class _Refused(Exception):
    """The pickle holds something else than plain arrays."""


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """Give `array` the one form that the reader knows.

    Arrays that are not contiguous or not writable are pickled another way, and equal dtypes that are not one object
    are pickled twice: `view` sets the very object.
    """
    dtype = DTYPES[f"{array.dtype.kind}{array.dtype.itemsize}"]
    return np.require(array, dtype, ["C", "W"]).view(dtype)


def _inspect(program: bytes) -> None:
    """Refuse a pickle whose operations are too many or others than arrays need; nothing of it is run."""
    end = 0
    for count, (operation, _, position) in enumerate(pickletools.genops(program), start=1):
        if operation.name not in OPERATIONS:
            raise _Refused(f"expected arrays and nothing else, found the operation {operation.name}")
        if count > MOST_OPERATIONS:
            raise _Refused(f"expected at most {MOST_OPERATIONS} operations, found more")
        end = position or 0
    if end + 1 != len(program):
        raise _Refused(f"expected its end at byte {end + 1}, found {len(program) - end - 1} more bytes")


class _Unpickler(pickle.Unpickler):
    """Answers the two globals of an array with this module's own stand-ins and refuses all others."""

    def find_class(self, module: str, name: str) -> object:
        """Never imports anything."""
        match module, name:
            case ("numpy._core.numeric" | "numpy.core.numeric", "_frombuffer"):
                return _ArrayMaker()
            case ("numpy", "dtype"):
                return _DtypeMaker()
        raise _Refused(f"expected arrays and nothing else, found the global {module}.{name}")


class _StandIn:
    """Something that a pickle may hold but not change: `BUILD` would otherwise set any attribute of it."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise _Refused("expected arrays and nothing else, found a change of how they are made")


class _DtypeMaker(_StandIn):
    """Stands in for `numpy.dtype`."""

    __slots__ = ()

    def __call__(self, *arguments: object) -> "_Dtype":
        match arguments:
            case (str(name), False, True) if name in DTYPES:
                return _Dtype(name)
        raise _Refused(f"expected the dtypes {' and '.join(DTYPES)}, found {_shortened(arguments)}")


class _Dtype:
    """Stands in for a dtype until its byte order is set, and is checked."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __setstate__(self, state: object) -> None:
        """Admit the state of a plain dtype alone: its version and byte order, no fields, no flags."""
        if state != (3, DTYPES[self.name].str[0], None, None, None, -1, -1, 0):
            raise _Refused(f"expected the state of a plain {self.name}, found {_shortened(state)}")


class _ArrayMaker(_StandIn):
    """Stands in for NumPy's `_frombuffer`."""

    __slots__ = ()

    def __call__(self, *arguments: object) -> NDArray[Any]:
        match arguments:
            case (bytearray() as buffer, _Dtype(name=name), tuple() as shape, "C"):
                dtype = DTYPES[name]
                lengths = [length for length in shape if type(length) is int and length >= 0]
                if len(lengths) == len(shape) and math.prod(lengths) * dtype.itemsize == len(buffer):
                    return np.frombuffer(buffer, dtype).reshape(lengths)
                raise _Refused(f"expected {len(buffer)} bytes for an array, found the shape {_shortened(shape)}")
        raise _Refused("expected a contiguous array of numbers, found another")


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

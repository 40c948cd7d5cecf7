"""Images out of JSON and bytes, and nothing else out of them: each fault is refused with its place."""

import base64
import binascii
import itertools
import struct

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from components.fer.dataset import SIDE
from components.serve.refused import Refused

Images = NDArray[np.uint8]

SHAPE = (SIDE, SIDE, 1)
"""of one image"""

LARGEST = 255
"""value of a pixel"""

TYPES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a whole number",
    float: "a number with a fraction",
    type(None): "null",
}
"""What JSON may hold, in words."""

LENGTH = struct.Struct("<I")
"""Before each element of a binary BYTES tensor stands how many bytes it has."""


def json_object(content: bytes) -> dict[str, object]:
    """Read a JSON object. NaN, infinity and very deep nesting, which are no JSON or no request, are refused."""
    try:
        found = from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise Refused("json", f"body: expected JSON, found a fault: {error}.") from error
    if not isinstance(found, dict):
        raise Refused("json", f"body: expected a JSON object, received {type_of(found)}.")
    return found


def pixels(data: object, where: str) -> Images:
    """Make an array of numbers 0 to 255 in lists, nested as deep as an image is, or not at all: uint8 of that shape."""
    if not isinstance(data, list):
        raise Refused("tensor", f"{where}: expected a list of numbers, received {type_of(data)}.")
    shape, level = [len(data)], data
    while level and isinstance(level[0], list) and len(shape) <= len(SHAPE):
        lengths = {len(part) if isinstance(part, list) else None for part in level}
        if len(lengths) != 1:
            raise Refused("tensor", f"{where}: expected lists of one length at each depth, received others.")
        shape.append(len(level[0]))
        level = list(itertools.chain.from_iterable(level))
    if strange := set(map(type, level)) - {int}:
        received = ", ".join(sorted(TYPES[kind] for kind in strange))
        raise Refused("tensor", f"{where}: expected whole numbers 0 to {LARGEST}, received {received}.")
    try:
        return np.frombuffer(bytes(level), np.uint8).reshape(shape)
    except ValueError as error:
        worst = next(value for value in level if not 0 <= value <= LARGEST)
        received = f"{worst}" if abs(worst) < 10**9 else "one that is much larger"  # thousands of digits are no text
        raise Refused("tensor", f"{where}: expected whole numbers 0 to {LARGEST}, received {received}.") from error


def base64_bytes(text: object, where: str) -> bytes:
    """Decode a file in base64."""
    if not isinstance(text, str):
        raise Refused("image", f"{where}: expected base64 in a string, received {type_of(text)}.")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("image", f"{where}: expected base64: {error}.") from error


def elements(content: bytes, where: str) -> list[bytes]:
    """Split the binary form of a BYTES tensor: before each element, its length as 4 bytes, little-endian."""
    found, place = [], 0
    while place < len(content):
        end = place + LENGTH.size
        length = LENGTH.unpack(content[place:end])[0] if end <= len(content) else len(content)
        if end + length > len(content):
            raise Refused(
                "tensor", f"{where}: expected elements with their lengths before them, the last is cut short."
            )
        found.append(content[end : end + length])
        place = end + length
    return found


def type_of(value: object) -> str:
    """The JSON type of a value, in words."""
    return TYPES[type(value)]

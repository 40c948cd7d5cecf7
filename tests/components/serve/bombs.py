"""Pictures that are made to take a server's memory or time."""

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Literal

import numpy as np
from PIL import Image

Colours = Literal["L", "L16", "RGB", "RGBA"]

KINDS: dict[Colours, tuple[int, int, int]] = {"L": (8, 0, 1), "L16": (16, 0, 2), "RGB": (8, 2, 3), "RGBA": (8, 6, 4)}
"""Bits, PNG's number for the colours, bytes a pixel."""


def blank(width: int, height: int, colours: Colours) -> bytes:
    """A PNG of zeros: a five-hundredth of its pixels' bytes, or less."""
    packing = zlib.compressobj(9)
    row = bytes(1 + width * KINDS[colours][2])
    return _png(width, height, colours, [*(packing.compress(row) for _ in range(height)), packing.flush()])


def claimed(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has so many pixels, and has none of them."""
    return _png(width, height, "L", [zlib.compress(bytes(100_000))])


def many_scans(side: int, repeated: int) -> bytes:
    """A progressive JPEG whose last scan, of a few bytes, comes so many times more; it has 6 of its own."""
    file = io.BytesIO()
    Image.new("L", (side, side), 128).save(file, "JPEG", progressive=True, quality=90)
    content, end = file.getvalue()[:-2], file.getvalue()[-2:]
    return content + content[content.rindex(b"\xff\xda") :] * repeated + end


def noise(side: int) -> bytes:
    """A JPEG in which the detector finds no face, however large it looks at it."""
    file = io.BytesIO()
    values = np.random.default_rng(1).integers(0, 256, (side, side), np.uint8)
    Image.fromarray(values).save(file, "JPEG", quality=30)
    return file.getvalue()


def _png(width: int, height: int, colours: Colours, pixels: Iterable[bytes]) -> bytes:
    depth, kind, _ = KINDS[colours]
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b"".join(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )

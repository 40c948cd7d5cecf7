"""Photographs to faces as FER2013 has them: any picture in, uint8 (48, 48, 1) a face out.

The picture is turned upright, made grey, and shrunk to `LONG` pixels; dlib's frontal detector, which preprocess aligns
by, finds the faces; each is cropped as wide as FER2013's faces are cropped around what the same detector finds in them.
"""

import io
import itertools
import math
import re
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,  # noqa: F401  # each format is known once its module is imported
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from components.fer.dataset import SIDE
from components.fer.errors import InputError
from components.serve.errors import NoFace

Pixels = NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM")
"""What is read; Pillow knows many more, most of them rare, and none of those is a photo's."""

LONG = 1024
"""Pixels of a picture's long side, at most: the detector finds faces from 80 pixels on, a thirteenth of it."""

PIXELS = 8192 * 6144
"""Of a picture, at most, which its header says: so many have the pictures of phones' cameras of 48 and 50 megapixels.
To read as many takes up to 0.8 GB, for WebP; all others take less."""

SCANS = 40
"""Of a JPEG, at most: a progressive one has about 10, and each goes through all pixels again, however short it is."""

LOOKS = ((1, 0), (1, 8), (2, 8), (4, 8))
"""How the detector looks, the next where no face is found: times the picture is enlarged, and the part of its side by
which its edge is repeated: what is around a face tells it too. With its edge it is at most twice as long as `LONG`, for
the detector's time grows with its pixels: the edge is smaller where it has to be."""

WIDER, HIGHER = 1.2, 0.07
"""A crop's side, and how far its centre lies above the detector's, in sides of the box that the detector finds.

Measured on PublicTest: in FER2013's 48 x 48 pixels that box has a mean side of 41.3 (median 37.5) and its centre is 3.0
pixels below the middle.
"""

WHOLE = 255 * 257
"""White in 16 bits."""

DAMAGE = (OSError, SyntaxError, ValueError, TypeError, IndexError, EOFError, struct.error, zlib.error, MemoryError)
"""What Pillow raises on files that are damaged, or made to do damage."""

MEND = "Give a JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF or PGM picture that other programs can open."

SEGMENT = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd8])")
"""A JPEG's marker that a segment's length follows, and the end: within a scan's data there is none."""

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9

# Pillow warns of a picture that unpacks into too many pixels, and refuses one of twice as many: here it refuses both.
# Set once, for all threads: warnings.catch_warnings is for one.
Image.MAX_IMAGE_PIXELS = PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a photo."""

    pixels: Pixels
    """(48, 48, 1)"""
    box: tuple[int, int, int, int] | None
    """left, top, width and height of the crop in pixels of the upright photo; none where the photo is the face"""


def faces(photo: bytes, where: str = "photo") -> list[Face]:
    """Find the faces in a picture's file, from left to right; 48 x 48 grey pixels are a face as they are.

    Raises `InputError`, which begins with `where`, if it is no picture, `NoFace` where no face is found.
    """
    grey, width, is_face = _read(photo, where)
    if is_face:
        return [Face(np.array(grey)[..., None], None)]
    grey.thumbnail((LONG, LONG), Image.Resampling.LANCZOS)
    for scale, border in LOOKS:
        room = 2 * LONG // scale - max(grey.size)
        if room < 0:
            break
        edge = min(max(grey.size) // border, room // 2) if border else 0
        if boxes := _detected(grey, scale, edge):
            found = [_cropped(grey, box, width / grey.width) for box in boxes]
            return sorted(found, key=lambda one: one.box or ())
    raise NoFace(
        f"{where}: expected a face, found none.",
        "Give a photo of a face from the front, or 48 x 48 grey pixels, which are taken as a face.",
    )


def face(photo: bytes) -> Pixels:
    """Find the largest face in a picture's file: (48, 48, 1). Raises as `faces` does."""
    return max(faces(photo), key=lambda found: found.box[2] if found.box else 0).pixels


def _read(photo: bytes, where: str) -> tuple[Image.Image, int, bool]:
    """Read a picture's file, upright and in grey, and say how wide the photo is, and whether it is a face as it is.

    What is larger than `LONG` comes shrunk, to `LONG` pixels or more. Raises `InputError`.
    """
    try:
        with Image.open(io.BytesIO(photo), formats=FORMATS) as picture:
            size = picture.size
            _check_scans(photo, where)
            picture.draft(None, (LONG, LONG))  # a JPEG is unpacked at a fraction of its size
            picture.load()
            grey = _shrunk(picture, where)
            is_face = size == (SIDE, SIDE) and _has_no_colours(picture)
            grey.info = picture.info  # has what its camera says
            upright = ImageOps.exif_transpose(grey)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        problem = f"{where}: expected a picture of at most {PIXELS:,} pixels, received more."
        raise InputError(problem, "Make it smaller.") from error
    except DAMAGE as error:
        raise InputError(f"{where}: {_damage(error)}.", MEND) from error
    return upright, size[0] if upright.size == grey.size else size[1], is_face


def _damage(error: Exception) -> str:
    if type(error).__name__ == "UnidentifiedImageError":
        return "expected a picture, received none, or of a kind that is not read"
    if isinstance(error, MemoryError):
        return "expected a picture that can be read in the memory there is, received one that takes more"
    return f"expected a whole picture, received a damaged one ({error})"


def _check_scans(photo: bytes, where: str) -> None:
    """Raise `InputError` where a file is a JPEG of more than `SCANS` scans."""
    scans, place = 0, 2
    while photo.startswith(b"\xff\xd8") and (found := SEGMENT.search(photo, place)):
        marker, place = found[1][0], found.end()
        if marker == END_OF_IMAGE:  # phones put more behind it: another picture, a film
            break
        place += int.from_bytes(photo[place : place + 2])
        scans += marker == START_OF_SCAN
    if scans > SCANS:
        raise InputError(f"{where}: expected a JPEG of at most {SCANS} scans, received {scans}.", "Save it again.")


def _shrunk(picture: Image.Image, where: str) -> Image.Image:
    """The picture as L, shrunk by a whole number to twice `LONG` or a little more, where it is larger.

    A tile is made grey at a time: the whole picture, in the types that this takes, would be many times as large.
    """
    factor = max(1, max(picture.size) // (2 * LONG))
    small = Image.new("L", (math.ceil(picture.width / factor), math.ceil(picture.height / factor)))
    step = factor * max(1, LONG // factor)
    for left, top in itertools.product(range(0, picture.width, step), range(0, picture.height, step)):
        box = (left, top, min(left + step, picture.width), min(top + step, picture.height))
        small.paste(_grey(picture.crop(box), where).reduce(factor), (left // factor, top // factor))
    return small


def _grey(picture: Image.Image, where: str) -> Image.Image:
    """The picture as L; what is transparent is white. Raises `InputError`."""
    if picture.mode.startswith("I"):
        values = np.asarray(picture).astype(np.float64)
        if values.min() >= 0 and values.max() <= WHOLE:
            return Image.fromarray(np.round(values / 257).astype(np.uint8))
    if picture.mode[0] in "IF":
        raise InputError(f"{where}: expected 8 or 16 bits a channel, received mode {picture.mode}.", MEND)
    return picture.convert("L") if picture.mode in ("1", "L") else _colours(picture).convert("L")


def _colours(picture: Image.Image) -> Image.Image:
    """The picture as RGB; what is transparent is white."""
    if picture.has_transparency_data:
        above = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
    return picture.convert("RGB")


def _has_no_colours(picture: Image.Image) -> bool:
    grey = picture.mode in ("1", "L") or picture.mode.startswith("I")
    return grey or not np.ptp(np.asarray(_colours(picture)), axis=2).any()


def _detected(grey: Image.Image, scale: int, edge: int) -> list[tuple[float, float, float]]:
    """Centre and side of each box that the detector finds, in pixels of `grey`.

    It looks at the picture with its edge repeated around it by `edge` pixels, enlarged `scale` times.
    """
    pixels = np.pad(np.asarray(grey), edge, mode="edge")
    if scale > 1:
        wide = Image.fromarray(pixels)
        pixels = np.asarray(wide.resize((wide.width * scale, wide.height * scale), Image.Resampling.BICUBIC))
    with _LOOKING:
        boxes = detector()(pixels)
    return [
        (
            (box.left() + box.right() + 1) / 2 / scale - edge,
            (box.top() + box.bottom() + 1) / 2 / scale - edge,
            box.width() / scale,
        )
        for box in boxes
    ]


def _cropped(grey: Image.Image, box: tuple[float, float, float], ratio: float) -> Face:
    """Crop to a face around the detector's box; beyond the picture's edge are the pixels of that edge.

    `ratio` is how many pixels of the photo are one of `grey`.
    """
    x, y, found = box
    side = found * WIDER
    left, top = x - side / 2, y - found * HIGHER - side / 2
    beyond = max(0, math.ceil(max(-left, -top, left + side - grey.width, top + side - grey.height)))
    padded = Image.fromarray(np.pad(np.asarray(grey), beyond, mode="edge"))
    place = (left + beyond, top + beyond, left + beyond + side, top + beyond + side)
    pixels = np.asarray(padded.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=place))
    return Face(pixels[..., None], (round(left * ratio), round(top * ratio), round(side * ratio), round(side * ratio)))


_LOOKING = threading.Lock()
"""The detector works on a memory of its own, without Python's lock: one thread at a time."""


@cache
def detector() -> Any:
    """Load dlib's detector of frontal faces."""
    import dlib  # not needed for a face of 48 x 48 pixels, and half a second

    return dlib.get_frontal_face_detector()

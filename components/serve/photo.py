"""Photographs to faces as FER2013 has them: any picture in, uint8 (48, 48, 1) a face out.

The picture is turned upright, made grey, and shrunk to `LONG` pixels; dlib's frontal detector, which preprocess aligns
by, finds the faces; each is cropped as wide as FER2013's faces are cropped around what the same detector finds in them.
"""

import io
import math
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

LOOKS = ((1, 0), (1, 8), (2, 8), (4, 8))
"""How the detector looks, the next where no face is found: times the picture is enlarged, as long as it is no longer
than twice `LONG` then, and the part of its side by which its edge is repeated: what is around a face tells it too."""

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

# Pillow warns of a picture that unpacks into too many pixels, and refuses one of twice as many: here it refuses both.
# Set once, for all threads: warnings.catch_warnings is for one.
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
    picture, width = _read(photo, where)
    if picture.size == (SIDE, SIDE) and picture.mode == "L":
        return [Face(np.array(picture)[..., None], None)]
    grey = picture.convert("L")
    grey.thumbnail((LONG, LONG), Image.Resampling.LANCZOS)
    for scale, border in LOOKS:
        if scale > 1 and scale * max(grey.size) > 2 * LONG:
            break
        if boxes := _detected(grey, scale, border):
            found = [_cropped(grey, box, width / grey.width) for box in boxes]
            return sorted(found, key=lambda one: one.box or ())
    raise NoFace(
        f"{where}: expected a face, found none.",
        "Give a photo of a face from the front, or 48 x 48 grey pixels, which are taken as a face.",
    )


def face(photo: bytes) -> Pixels:
    """Find the largest face in a picture's file: (48, 48, 1). Raises as `faces` does."""
    return max(faces(photo), key=lambda found: found.box[2] if found.box else 0).pixels


def _read(photo: bytes, where: str) -> tuple[Image.Image, int]:
    """Read a picture's file, upright, as L where it is grey and as RGB otherwise, and say how wide the photo is.

    A large JPEG is read at a fraction of its size, but at `LONG` pixels or more. Raises `InputError`.
    """
    try:
        with Image.open(io.BytesIO(photo), formats=FORMATS) as picture:
            size = picture.size
            picture.draft(None, (LONG, LONG))
            picture.load()
            upright = ImageOps.exif_transpose(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        problem = f"{where}: expected a picture of at most {Image.MAX_IMAGE_PIXELS:,} pixels, received more."
        raise InputError(problem, "Make it smaller.") from error
    except DAMAGE as error:
        raise InputError(f"{where}: {_damage(error)}.", MEND) from error
    turned = (upright.width < upright.height) != (picture.width < picture.height)
    try:
        return _eight_bits(upright), size[1] if turned else size[0]
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}: expected 8 or 16 bits a channel, received mode {upright.mode}.", MEND) from error


def _damage(error: Exception) -> str:
    if type(error).__name__ == "UnidentifiedImageError":
        return "expected a picture, received none, or of a kind that is not read"
    return f"expected a whole picture, received a damaged one ({error})"


def _eight_bits(picture: Image.Image) -> Image.Image:
    """The picture as L, or as RGB where it has colours; what is transparent is white. Raises `ValueError`."""
    if picture.mode.startswith("I"):
        values = np.asarray(picture).astype(np.float64)
        if values.min() < 0 or values.max() > WHOLE:
            raise ValueError("not 16 bits")
        return Image.fromarray(np.round(values / 257).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError("not 8 or 16 bits")
    if picture.has_transparency_data:
        above = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
    if picture.mode in ("1", "L"):
        return picture.convert("L")
    colours = picture.convert("RGB")
    if colours.size == (SIDE, SIDE) and not np.ptp(np.asarray(colours), axis=2).any():
        return colours.convert("L")
    return colours


def _detected(grey: Image.Image, scale: int, border: int) -> list[tuple[float, float, float]]:
    """Centre and side of each box that the detector finds, in pixels of `grey`.

    `border` is the part of the long side by which the picture's edge is repeated around it; 0 for none.
    """
    edge = max(grey.size) // border if border else 0
    pixels = np.pad(np.asarray(grey), edge, mode="edge")
    if scale > 1:
        wide = Image.fromarray(pixels)
        pixels = np.asarray(wide.resize((wide.width * scale, wide.height * scale), Image.Resampling.BICUBIC))
    with _LOOKING:
        boxes = _detector()(pixels)
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
def _detector() -> Any:
    import dlib  # not needed for a face of 48 x 48 pixels, and half a second

    return dlib.get_frontal_face_detector()

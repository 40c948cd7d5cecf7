"""Finds the face in an image by dlib's frontal detector, crops to it and turns its eyes level."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing.connection import wait
from typing import Any, NamedTuple

import dlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.fer.dataset import SIDE
from components.fer.errors import InputError
from components.fer.pace import told

Pixels = NDArray[np.uint8]

BORDER = 6
"""Pixels by which an image's edge is repeated around it for the detector, which looks at what is around a face too."""

SCALES = (2, 3, 4)
"""Times an image is enlarged, the next where no face is found: the detector finds faces from 80 pixels on."""

EYES = {5: (slice(2, 4), slice(0, 2)), 68: (slice(36, 42), slice(42, 48))}
"""Points of the left and of the right eye in the picture, by the number of points of a shape predictor of dlib."""

MEND = "Give a shape predictor of dlib with 5 or 68 points as preprocess.landmarks in params.yaml, or '' to crop alone."

CHUNK = 64
"""Images that a process takes at a time: half a second of work."""


class Aligned(NamedTuple):
    """What alignment made of images."""

    images: Pixels
    """(N, 48, 48), the face alone, or the image as it was where none was found"""
    detected: NDArray[np.bool_]
    """(N,), whether a face was found"""


def align(images: Pixels, landmarks: str) -> Aligned:
    """Crop images (N, 48, 48) to their faces, on all processors; the result is the same on any number of them.

    `landmarks` is the path of a shape predictor by which the eyes are turned level, '' for none. Raises `InputError`
    where it is no such file.
    """
    _tools(landmarks)  # told of before any work
    # Not by fork: the stage has threads, and its handler of SIGTERM is not for these processes.
    spawn = multiprocessing.get_context("spawn")
    workers = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_end_with_parent) as pool:
        found = pool.map(partial(aligned, landmarks=landmarks), images, chunksize=CHUNK)
        faces = list(told(found, "aligning", len(images)))
    detected = np.array([face is not None for face in faces], np.bool_)
    result = images.copy()
    result[detected] = [face for face in faces if face is not None]
    return Aligned(result, detected)


def aligned(image: Pixels, landmarks: str) -> Pixels | None:
    """The surest face of an image (48, 48), in one bicubic resampling to (48, 48); None where no face is found."""
    detector, predictor = _tools(landmarks)
    bordered = Image.fromarray(np.pad(image, BORDER, mode="edge"))
    for scale in SCALES:
        enlarged = np.asarray(bordered.resize((bordered.width * scale,) * 2, Image.Resampling.BICUBIC))
        if boxes := detector(enlarged):
            box = boxes[0]
            x = (box.left() + box.right() + 1) / 2 / scale - BORDER
            y = (box.top() + box.bottom() + 1) / 2 / scale - BORDER
            angle = _angle_of_eyes(predictor(enlarged, box)) if predictor else 0.0
            return cropped(image, x, y, box.width() / scale, angle)
    return None


def cropped(image: Pixels, x: float, y: float, side: float, angle: float) -> Pixels:
    """The square of `image` (48, 48) around x, y, turned by `angle` (radians, clockwise), as (48, 48).

    Lengths are in pixels from the upper left corner. Beyond an edge of the image are the pixels of that edge.
    """
    beyond = SIDE // 2
    right, down = np.cos(angle) * side / SIDE, np.sin(angle) * side / SIDE
    start = beyond + x - (right - down) * SIDE / 2, beyond + y - (down + right) * SIDE / 2
    to_source = (right, -down, start[0], down, right, start[1])
    wide = Image.fromarray(np.pad(image, beyond, mode="edge"))
    return np.asarray(wide.transform((SIDE, SIDE), Image.Transform.AFFINE, to_source, Image.Resampling.BICUBIC))


def _angle_of_eyes(points: Any) -> float:
    """Angle in radians, clockwise, of the line from the left eye in the picture to the right one."""
    places = np.array([(point.x, point.y) for point in points.parts()], np.float64)
    left, right = (places[eye].mean(axis=0) for eye in EYES[len(places)])
    across, down = right - left
    return float(np.arctan2(down, across))


@cache
def _tools(landmarks: str) -> tuple[Any, Any]:
    """The detector and the shape predictor (None without one), once for each process."""
    detector = dlib.get_frontal_face_detector()
    if not landmarks:
        return detector, None
    try:
        predictor = dlib.shape_predictor(landmarks)
    except RuntimeError as error:
        raise InputError(f"landmarks {landmarks}: not a shape predictor of dlib ({error}).", MEND) from error
    points = predictor(np.zeros((SIDE, SIDE), np.uint8), dlib.rectangle(0, 0, SIDE - 1, SIDE - 1)).num_parts
    if points not in EYES:
        raise InputError(f"landmarks {landmarks}: expected 5 or 68 points, received {points}.", MEND)
    return detector, predictor


def _end_with_parent() -> None:
    """End this process when the stage ends, also when it is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()

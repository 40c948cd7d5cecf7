"""Reads CK+ (Lucey et al., CVPR workshops 2010) as its authors give it out: the last frame of labelled sequences."""

from pathlib import Path

import numpy as np

from components.fer.dataset import EIGHT, expression_names
from components.fer.errors import InputError
from components.validate import photographs
from components.validate.photographs import Box, Photograph
from components.validate.source import Faults, Source, content_md5

FRAMES, EMOTIONS, LANDMARKS = "cohn-kanade-images", "Emotion", "Landmarks"
"""Its folders, each SUBJECT/SEQUENCE/FILE: S005/001/S005_001_00000011.png, ..._emotion.txt, ..._landmarks.txt."""

ANSWERS = ("neutral", "angry", "contempt", "disgust", "fear", "happy", "sad", "surprise")
"""The expressions in the order of CK+'s numbers."""

MARGIN = 0.15
"""Share of a face's landmarks' extent by which they are surrounded: they reach from the brows to the chin."""

MEND = f"Unpack CK+ again: {FRAMES}, {EMOTIONS} and {LANDMARKS} side by side."


def lies_at(root: Path) -> bool:
    """Tell whether a folder is CK+'s."""
    return (root / FRAMES).is_dir()


def read(path: str, expressions: int) -> Source:
    """Read CK+ in the order of its sequences, cropped to the faces; it has no split of its own.

    Contempt is left out where `expressions` is 7. Raises `InputError` with the first faults by file.
    """
    root = Path(path)
    for folder in (EMOTIONS, LANDMARKS):
        if not (root / folder).is_dir():
            raise InputError(f"data set {root}: expected the folder {folder} beside {FRAMES}, found none.", MEND)
    faults = Faults(path)
    listed: list[Photograph] = []
    wanted = expression_names(expressions)
    left_out = {answer: 0 for answer in ANSWERS if answer not in wanted}
    for file in sorted((root / EMOTIONS).glob("*/*/*_emotion.txt")):
        frame = file.relative_to(root / EMOTIONS).with_name(file.name.removesuffix("_emotion.txt"))
        number = _answer(file)
        if number is None:
            faults.add(file.relative_to(root).as_posix(), "a number from 0 to 7", "something else")
            continue
        if (answer := ANSWERS[number]) not in wanted:
            left_out[answer] += 1
            continue
        landmarks = root / LANDMARKS / f"{frame}_landmarks.txt"
        box = _box(landmarks)
        if box is None:
            received = "something else" if landmarks.exists() else "nothing"
            faults.add(landmarks.relative_to(root).as_posix(), "two numbers for each point of the face", received)
            continue
        listed.append(Photograph(root / FRAMES / f"{frame}.png", EIGHT.index(answer), usage=0, box=box))
    faces = photographs.read(root, listed, faults)
    faults.raise_any(MEND)
    return Source(faces, "ckplus", content_md5(faces), usages=(), left_out=left_out)


def _answer(file: Path) -> int | None:
    """Read a file that holds a number such as 3.0000000e+00; None where it holds another thing."""
    try:
        answer = float(file.read_text(encoding="ascii", errors="replace"))
    except ValueError:
        return None
    return int(answer) if answer in range(len(ANSWERS)) else None


def _box(file: Path) -> Box | None:
    """The square around the landmarks of a face; None where the file does not hold them."""
    try:
        x, y = np.loadtxt(file, ndmin=2, encoding="utf-8").T
    except (OSError, ValueError):
        return None
    if not np.isfinite([x, y]).all():
        return None
    half = (0.5 + MARGIN) * max(np.ptp(x), np.ptp(y))
    middle = (x.min() + x.max()) / 2, (y.min() + y.max()) / 2
    return Box(middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)

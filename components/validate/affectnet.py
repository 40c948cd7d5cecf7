"""Reads AffectNet (Mollahosseini, Hasani, Mahoor, 2017), its manually annotated part, as its authors give it out."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from components.fer.dataset import EIGHT, USAGES, expression_names
from components.fer.errors import InputError
from components.validate import photographs
from components.validate.photographs import Box, Photograph
from components.validate.source import Faults, Source, content_md5

LISTS = Path("Manually_Annotated_file_lists")
IMAGES = Path("Manually_Annotated_Images")

FILES = {"training.csv": USAGES.index("Training"), "validation.csv": USAGES.index("PrivateTest")}
"""Its lists, and what they are for: the authors keep their test images to themselves."""

ANSWERS = (
    *("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt"),
    *("none", "uncertain", "no face"),
)
"""What the numbers of its lists say; the last three are no expressions."""

BOX = ("face_x", "face_y", "face_width", "face_height")
COLUMNS = ("subDirectory_filePath", *BOX, "expression")

MEND = "Unpack AffectNet again: Manually_Annotated_file_lists and Manually_Annotated_Images side by side."


def lies_at(root: Path) -> bool:
    """Tell whether a folder is AffectNet's."""
    return (root / LISTS).is_dir()


def read(path: str, expressions: int) -> Source:
    """Read AffectNet in the order of its lists, cropped to its faces: the validation images as PrivateTest.

    Left out are answers that are no expression and, where `expressions` is 7, contempt. Raises `InputError` with the
    first faults by line and by file.
    """
    root = Path(path)
    faults = Faults(path, " (line 1 is the header)")
    listed: list[Photograph] = []
    left_out: Counter[str] = Counter()
    said, wanted = {str(number): answer for number, answer in enumerate(ANSWERS)}, expression_names(expressions)
    for name, usage in FILES.items():
        for number, row in _rows(root / LISTS / name):
            answer = said.get(row["expression"] or "")
            if answer is not None and answer not in wanted:
                left_out[answer] += 1
            elif photograph := _photograph(root, row, answer, usage):
                listed.append(photograph)
            else:
                faults.add(
                    f"{LISTS / name}, line {number}",
                    "a path, the box of a face in pixels, and an expression from 0 to 10",
                    ", ".join(repr(row[column]) for column in COLUMNS)[:200],
                )
    faces = photographs.read(root, listed, faults)
    faults.raise_any(MEND)
    return Source(faces, "affectnet", content_md5(faces), usages=("Training", "PrivateTest"), left_out=left_out)


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Give each row of a list with the number of its line."""
    if not file.is_file():
        raise InputError(f"data set {file}: expected AffectNet's list, found none.", MEND)
    with file.open(newline="", encoding="utf-8", errors="replace") as lines:
        rows = csv.DictReader(lines)
        try:
            missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise InputError(f"data set {file}, line 1: expected a column {missing[0]}, found none.", MEND)
            for row in rows:
                yield rows.line_num, row
        except csv.Error as error:
            raise InputError(f"data set {file}, line {rows.line_num + 1}: expected a csv ({error}).", MEND) from error


def _photograph(root: Path, row: dict[str, str], answer: str | None, usage: int) -> Photograph | None:
    """Read one row, which gives this `answer`; None where it is not as expected."""
    try:
        x, y, width, height = (float(row[name]) for name in BOX)
        label, file = EIGHT.index(answer or ""), PurePosixPath(row["subDirectory_filePath"])
    except (TypeError, ValueError):
        return None
    box = Box(x, y, x + width, y + height)
    if file.is_absolute() or ".." in file.parts or not (np.isfinite(box).all() and width >= 1 and height >= 1):
        return None
    return Photograph(root / IMAGES / file, label, usage, box)

"""Reads fer2013.csv and icml_face_data.csv: a line an image, its pixels as text."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EIGHT, EXPRESSIONS, SIDE, USAGES, Faces
from components.fer.errors import InputError
from components.validate.source import GENUINE_MD5, GENUINE_ROWS, OFFICIAL, Faults, Source, mend, shown

COLUMNS = ("emotion", "pixels", "Usage")
"""Columns of the official csv; any order is read."""

PIXELS = SIDE * SIDE

LABELS = {str(index).encode(): index for index in range(len(EIGHT))}
SEVEN = len(EXPRESSIONS)
USAGE_CODES = {name.encode(): index for index, name in enumerate(USAGES)}

EXPECTED = {
    "pixels": "2,304 integers from 0 to 255 with single spaces between them",
    "Usage": "Training, PublicTest or PrivateTest",
}

NOTHING: Mapping[bytes, str] = MappingProxyType({})

UNPACK = "Unpack it (gunzip, tar -xzf or unzip) and give the csv that is inside."
RECODE = "Save it as plain text in UTF-8 without a byte order mark: the csv holds ASCII only."

NOT_TEXT = {
    b"\x1f\x8b": ("a gzip archive", UNPACK),
    b"PK\x03\x04": ("a zip archive", UNPACK),
    b"\xef\xbb\xbf": ("a UTF-8 byte order mark at its start", RECODE),
    b"\xff\xfe": ("UTF-16 text", RECODE),
    b"\xfe\xff": ("UTF-16 text", RECODE),
}
"""First bytes of files that are not the csv, with what they tell and what mends it."""


class Row(NamedTuple):
    """A line of the csv, still as text."""

    emotion: bytes
    pixels: bytes
    usage: bytes


def read_csv(
    path: str, md5: str, file: Path, expressions: int = SEVEN, left_out: Mapping[bytes, str] = NOTHING
) -> Source:
    """Read a csv line by line; memory is that of its images (N, 48, 48), not of its text.

    `path` names it in errors, `file` holds it; `md5` is what it claims to be, '' for no claim. An emotion is a number
    below `expressions`; lines whose emotion is in `left_out` are counted by what that says, and else passed over.
    Raises `InputError` with the first faults by line and column.
    """
    faults = Faults(path, " (line 1 is the header)")
    images, labels, usages = bytearray(), bytearray(), bytearray()
    others: Counter[str] = Counter()
    with file.open("rb") as lines:
        header = lines.readline(1000)  # bounded: a file of another kind may have no line end at all
        order = _column_order(path, header, md5)
        digest = hashlib.md5(header, usedforsecurity=False)
        for number, line in enumerate(lines, start=2):
            digest.update(line)
            row = _row(line, order)
            if row and row.emotion in left_out:
                others[left_out[row.emotion]] += 1
                continue
            pixels = parse_pixels(row.pixels) if row else None
            label = LABELS.get(row.emotion, expressions) if row else expressions
            if row is None or pixels is None or label >= expressions or row.usage not in USAGE_CODES:
                _refuse_cut_file(path, number, line, order, md5)
                _note_faults(faults, number, line, order, expressions)
                continue
            images += pixels.tobytes()
            labels.append(label)
            usages.append(USAGE_CODES[row.usage])
    faults.raise_any(mend(md5, "Mend the lines named, or fetch the official csv: make data"))
    faces = Faces(
        images=np.frombuffer(images, np.uint8).reshape(-1, SIDE, SIDE),
        label=np.frombuffer(labels, np.uint8),
        usage=np.frombuffer(usages, np.uint8),
    )
    layout = ",".join(COLUMNS[index] for index in np.argsort(order))
    return Source(faces, layout, digest.hexdigest(), left_out=others)


def parse_pixels(text: bytes) -> NDArray[np.uint8] | None:
    """Read 2,304 integers from 0 to 255 with single spaces between them; None where the text is anything else.

    Six times as fast as `int` on each of them: the data set has 83 million.
    """
    if text.count(b" ") != PIXELS - 1 or text.translate(None, b"0123456789 "):
        return None
    # 2,304 values with 2,303 spaces between them leave no space doubled. int64, since narrower types wrap around: it
    # saturates at numbers too long for it, which stay above 255.
    pixels = np.fromstring(text, np.int64, sep=" ")
    return pixels.astype(np.uint8) if len(pixels) == PIXELS and pixels.max() <= 255 else None


def _column_order(path: str, header: bytes, md5: str) -> list[int]:
    """Give for each of `COLUMNS` its place in the file."""
    if not header:
        raise InputError(f"data set {path}: expected the official csv, received an empty file.", mend(md5, OFFICIAL))
    for start, (kind, remedy) in NOT_TEXT.items():
        if header.startswith(start):
            raise InputError(f"data set {path}: expected a csv in ASCII, received {kind}.", remedy)
    if b"\0" in header:
        raise InputError(f"data set {path}: expected a csv in ASCII, received NUL bytes in its first line.", RECODE)
    names = [name.strip(b' "\r\n') for name in header.split(b",")]
    expected = [name.encode() for name in COLUMNS]
    if sorted(names) != sorted(expected):
        raise InputError(
            f"data set {path}, line 1: expected the header emotion,pixels,Usage in any order, "
            f"received {shown(header.rstrip(), 60)}{_header_remark(names, expected)}.",
            mend(md5, "Mend the header, or fetch the official csv: make data"),
        )
    return [names.index(name) for name in expected]


def _header_remark(names: Sequence[bytes], expected: Sequence[bytes]) -> str:
    missing = [name.decode() for name in expected if name not in names]
    twice = [name.decode() for name in expected if names.count(name) > 1]
    if names[0] in LABELS:
        return " (a row of data: the header is missing)"
    if len(missing) == len(expected):
        return ""
    if missing:
        return f" ({', '.join(missing)} is missing)"
    return f" ({', '.join(twice)} is there twice)" if twice else " (a column too many)"


def _fields(line: bytes) -> list[bytes]:
    return [field.strip(b' "\r\n') for field in line.split(b",")]


def _row(line: bytes, order: Sequence[int]) -> Row | None:
    fields = _fields(line)
    return Row(*(fields[index] for index in order)) if len(fields) == len(COLUMNS) else None


def _note_faults(faults: Faults, number: int, line: bytes, order: Sequence[int], expressions: int) -> None:
    """Find what a faulty line holds, column by column."""
    row = _row(line, order)
    if not line.strip():
        faults.add(f"line {number}", "a row", "a blank line")
    elif b"\0" in line:
        faults.add(f"line {number}", "text", "NUL bytes, as a damaged disk or download leaves them")
    elif row is None:
        fields = len(line.split(b","))
        faults.add(f"line {number}", "3 fields", f"{fields:,} ({shown(line.rstrip())})")
    else:
        received = {
            "emotion": None if LABELS.get(row.emotion, expressions) < expressions else shown(row.emotion),
            "pixels": _pixel_fault(row.pixels),
            "Usage": None if row.usage in USAGE_CODES else shown(row.usage),
        }
        expected = {"emotion": f"an integer from 0 to {expressions - 1}", **EXPECTED}
        for column, text in received.items():
            if text is not None:
                faults.add(f"line {number}, column {column}", expected[column], text)


def _pixel_fault(text: bytes) -> str | None:
    """Say what `parse_pixels` would not read."""
    if not text:
        return "nothing"
    pixels = text.split(b" ")
    for number, pixel in enumerate(pixels, start=1):
        if not pixel.isdigit() or len(pixel) > 3 or int(pixel) > 255:
            return f"{shown(pixel)} as pixel {number:,}"
    return None if len(pixels) == PIXELS else f"{len(pixels):,} pixels"


def _refuse_cut_file(path: str, number: int, line: bytes, order: Sequence[int], md5: str) -> None:
    """Raise if a faulty line is the file's last and stops within a row."""
    if line.endswith(b"\n") or b"\0" in line or not line.strip():
        return
    stop = _stop_within_row(_fields(line), order)
    if stop is not None:
        rows = f"{number - 2:,} whole rows" + (f", expected {GENUINE_ROWS:,}" if md5 == GENUINE_MD5 else "")
        raise InputError(
            f"data set {path}: {rows} (the last row, line {number}, ends {stop}).",
            f"The file was cut short. {mend(md5, 'Copy it again, or fetch the official csv: make data')}",
        )


def _stop_within_row(fields: Sequence[bytes], order: Sequence[int]) -> str | None:
    """Say where the fields of a faulty line stop; None where they are not the beginning of a row."""
    if len(fields) > len(COLUMNS):
        return None
    column, text = COLUMNS[order.index(len(fields) - 1)], fields[-1]
    is_last = len(fields) == len(COLUMNS)
    if column == "pixels":
        count = len(text.split())
        return f"after {count:,} of 2,304 pixels" if count < PIXELS or not is_last else None
    whole = LABELS if column == "emotion" else USAGE_CODES
    begun = text not in whole and any(value.startswith(text) for value in whole)
    return f"within column {column}" if begun or not is_last else None

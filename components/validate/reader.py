"""Reads a data set in any layout, gives it its splits, and holds it to the md5 that it is said to have."""

from pathlib import Path

import numpy as np

from components.fer.dataset import USAGES
from components.fer.errors import InputError
from components.validate import affectnet, ckplus, rafdb, remote, votes
from components.validate.csv_layout import SEVEN, read_csv
from components.validate.folder_layout import read_folder
from components.validate.source import GENUINE_MD5, GENUINE_ROWS, Source, mend
from components.validate.splits import OFFICIAL, Rule, divided

EXTENDED = "ckextended.csv"
"""CK+ in the form of fer2013.csv."""

CONTEMPT = {b"7": "contempt"}
"""What it has besides the seven expressions."""

NAMED = (rafdb, ckplus, affectnet)
"""Data sets known by the folders that their authors give out; any other folder is SPLIT/EXPRESSION."""


def read(path: str, md5: str, rule: Rule = OFFICIAL, expressions: int = SEVEN, ferplus: str = "") -> Source:
    """Read what lies at `path`: a csv or a folder, or the csv in a DVC remote at that address.

    `md5` is the csv's, '' accepts any data, though not from a remote. Images have the splits that `rule` gives them,
    and 7 or 8 `expressions` where the data has them; those of FER2013 the labels of the FER+ votes at `ferplus`, where
    that is not ''. Raises `InputError` where the data is absent, faulty, or has another md5, or where its csv is to
    have eight expressions by itself; `TemporaryError` where a remote cannot be reached.
    """
    try:
        source = _read(path, md5, expressions, ferplus)
    except OSError as error:
        raise InputError(
            f"data set {path}: cannot be read ({error.strerror or error}).",
            "Check the file's permissions and its disk.",
        ) from error
    if ferplus:
        source = votes.relabelled(source, Path(ferplus), expressions)
    source = source._replace(faces=divided(source, rule))
    _check_splits(path, source)
    _check_md5(path, md5, source)
    return source


def _read(path: str, md5: str, expressions: int, ferplus: str) -> Source:
    place = Path(path)
    if place.name == EXTENDED and place.is_file():
        return read_csv(path, md5, place, expressions, CONTEMPT if expressions == SEVEN else {})
    if expressions != SEVEN and not ferplus and (place.is_file() or remote.is_address(path)):
        raise InputError(
            f"data set {path}: expected labels of {expressions} expressions (validate.expressions), but those of "
            f"FER2013's csv are of {SEVEN}.",
            "Set data.ferplus to FER+'s votes (fer2013new.csv), which name contempt too, or validate.expressions to 7.",
        )
    if remote.is_address(path):
        with remote.fetched(path, md5) as file:
            return read_csv(path, md5, file)
    if place.is_dir():
        if md5:
            raise InputError(
                f"data set {path}: expected a csv with md5 {md5}, received a folder, which has none.",
                "To accept any data, set data.md5 to '' in params.yaml.",
            )
        reads = next((layout.read for layout in NAMED if layout.lies_at(place)), read_folder)
        return reads(path, expressions)
    if place.is_file():
        return read_csv(path, md5, place)
    if place.exists():
        raise InputError(
            f"data set {path}: expected a csv or a folder, received neither.", "Correct data.path in params.yaml."
        )
    raise InputError(
        f"data set {path}: expected a csv or a folder, found nothing there.",
        "Fetch FER2013: make data. Or correct data.path in params.yaml.",
    )


def _check_splits(path: str, source: Source) -> None:
    """Refuse a data set without images in each split."""
    counts = np.bincount(source.faces.usage, minlength=len(USAGES))
    if counts.min() == 0:
        received = ", ".join(f"{usage} {count:,}" for usage, count in zip(USAGES, counts, strict=True))
        raise InputError(
            f"data set {path}: expected images in each of Training, PublicTest and PrivateTest, received {received}.",
            "Use a data set with all three: make data fetches the official csv.",
        )


def _check_md5(path: str, md5: str, source: Source) -> None:
    """Refuse a csv that is not the one that was asked for."""
    if md5 in ("", source.md5):
        return
    rows = f" with {GENUINE_ROWS:,} rows" if md5 == GENUINE_MD5 else ""
    raise InputError(
        f"data set {path}: expected md5 {md5}{rows}, received {source.md5} with {len(source.faces.label):,} rows.",
        f"{mend(md5, 'Correct data.md5 in params.yaml')}. To accept any data, set data.md5 to '' in params.yaml.",
    )

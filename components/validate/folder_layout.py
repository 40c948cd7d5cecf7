"""Reads the folder layout: SPLIT/EXPRESSION/*.png, or .jpg."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import SIDE, USAGES, Faces, expression_names
from components.fer.errors import InputError
from components.validate.source import Faults, Source, content_md5

SPLIT_FOLDERS = {
    "training": "Training",
    "train": "Training",
    "publictest": "PublicTest",
    "public": "PublicTest",
    "privatetest": "PrivateTest",
    "private": "PrivateTest",
}
"""Accepted names of the folders of a split, in lower case."""

MIXED = ("test", "val", "valid", "validation")
"""Folders of widespread copies that mix PublicTest with PrivateTest, or cut the data in their own way."""

SUFFIXES = (".png", ".jpg", ".jpeg")


def read_folder(path: str, expressions: int) -> Source:
    """Read a folder of images, in the order of split, expression and file name.

    There may be a folder contempt where `expressions` is 8. Raises `InputError` with the first faults by file.
    """
    root = Path(path)
    faults = Faults(path)
    images: list[NDArray[np.uint8]] = []
    labels, usages = bytearray(), bytearray()
    for usage, split in enumerate(_split_folders(root)):
        for label, folder in _expression_folders(root, split, expression_names(expressions), faults):
            for file in _entries(folder):
                image = _image(root, file, faults)
                if image is not None:
                    images.append(image)
                    labels.append(label)
                    usages.append(usage)
    faults.raise_any("Mend the files named, or use the official csv: make data")
    faces = Faces(
        images=np.array(images, np.uint8).reshape(-1, SIDE, SIDE),
        label=np.frombuffer(labels, np.uint8),
        usage=np.frombuffer(usages, np.uint8),
    )
    return Source(faces, "folder", content_md5(faces))


def _entries(folder: Path) -> list[Path]:
    """List a folder by name, without what desktops hide there (.DS_Store)."""
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _split_folders(root: Path) -> list[Path]:
    """Find the folder of each of `USAGES`."""
    found: dict[str, Path] = {}
    for entry in _entries(root):
        name = entry.name.lower()
        if name in MIXED:
            raise InputError(
                f"data set {root}: expected folders Training, PublicTest and PrivateTest, received {entry.name}.\n"
                "Copies with such a folder mix PublicTest, which decides, with PrivateTest, which judges: "
                "no figure on it can be compared.",
                "Use the official csv, which keeps them apart: make data",
            )
        usage = SPLIT_FOLDERS.get(name)
        if usage is None or not entry.is_dir() or usage in found:
            what = f"a second folder for {usage}" if usage in found else "neither"
            raise InputError(
                f"data set {root}: expected a csv, or one folder each for Training, PublicTest and PrivateTest; "
                f"{entry.name} is {what}.",
                "Move it away, or use the official csv: make data",
            )
        found[usage] = entry
    missing = [usage for usage in USAGES if usage not in found]
    if missing:
        raise InputError(
            f"data set {root}: expected folders Training, PublicTest and PrivateTest, "
            f"received {', '.join(folder.name for folder in found.values()) or 'an empty folder'}.",
            "Add what is missing, or use the official csv: make data",
        )
    return [found[usage] for usage in USAGES]


def _expression_folders(root: Path, split: Path, names: Sequence[str], faults: Faults) -> list[tuple[int, Path]]:
    """Give the folders of a split with their labels, index into `names`, in the order of labels."""
    folders = []
    for entry in _entries(split):
        name = entry.name.lower()
        if entry.is_dir() and name in names:
            folders.append((names.index(name), entry))
        else:
            faults.add(
                entry.relative_to(root).as_posix(),
                f"one of the folders {', '.join(names)}",
                repr(entry.name),
            )
    return sorted(folders)


def _image(root: Path, file: Path, faults: Faults) -> NDArray[np.uint8] | None:
    """Read one grey image (48, 48), or note why it cannot be."""
    from PIL import Image  # most data sets are a csv

    where, expected = file.relative_to(root).as_posix(), f"a grey image of {SIDE} x {SIDE} pixels"
    if file.suffix.lower() not in SUFFIXES:
        faults.add(where, "a .png or .jpg file", "another kind")
        return None
    try:
        with Image.open(file, formats=("PNG", "JPEG")) as image:
            if image.mode == "L" and image.size == (SIDE, SIDE):
                return np.asarray(image)
            kind = {"L": "a grey one", "RGB": "a colour one", "RGBA": "a colour one"}.get(
                image.mode, f"mode {image.mode}"
            )
            faults.add(where, expected, f"{kind} of {image.width} x {image.height}")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):  # what Pillow raises on damaged files
        faults.add(where, expected, "a file that is damaged or no image")
    return None

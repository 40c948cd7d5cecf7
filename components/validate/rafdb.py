"""Reads RAF-DB (Li, Deng, Du, CVPR 2017), its basic expressions, as its authors give it out."""

from pathlib import Path

from components.fer.dataset import EXPRESSIONS, USAGES
from components.validate import photographs
from components.validate.photographs import Photograph
from components.validate.source import Faults, Source, content_md5

LIST = Path("EmoLabel") / "list_patition_label.txt"
"""A line `train_00001.jpg 5` for each image, spelt as its authors spell it."""

IMAGES = Path("Image") / "aligned"

LABELS = {
    str(number): EXPRESSIONS.index(name)
    for number, name in enumerate(("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"), start=1)
}

USAGE_OF = {"train": USAGES.index("Training"), "test": USAGES.index("PrivateTest")}
"""By the beginning of an image's name."""


def lies_at(root: Path) -> bool:
    """Tell whether a folder is RAF-DB's, `basic`."""
    return (root / LIST).is_file()


def read(path: str, expressions: int) -> Source:
    """Read RAF-DB in the order of its list: its training and its test images, the latter as PrivateTest.

    It has seven expressions, however many are asked for. Raises `InputError` with the first faults by line and by file.
    """
    root = Path(path)
    faults = Faults(path)
    listed = []
    for number, line in enumerate((root / LIST).read_text(encoding="ascii", errors="replace").splitlines(), start=1):
        name, _, label = line.strip().partition(" ")
        stem, (part, _, _) = Path(name).stem, name.partition("_")
        if part in USAGE_OF and label in LABELS:
            listed.append(Photograph(root / IMAGES / f"{stem}_aligned.jpg", LABELS[label], USAGE_OF[part]))
        else:
            faults.add(
                f"{LIST}, line {number}", "train_NUMBER.jpg or test_NUMBER.jpg and a label from 1 to 7", repr(line)
            )
    faces = photographs.read(root, listed, faults)
    faults.raise_any("Unpack RAF-DB again: EmoLabel and Image/aligned of its folder basic.")
    return Source(faces, "rafdb", content_md5(faces), usages=("Training", "PrivateTest"))

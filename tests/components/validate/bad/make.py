"""A valid data set of three rows, and ways to break it."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from PIL import Image

HEADER = "emotion,pixels,Usage"
PIXELS = " ".join(["7"] * 2304)
ROWS = [f"3,{PIXELS},Training", f"0,{PIXELS},PublicTest", f"6,{PIXELS},PrivateTest"]
VALID = "\n".join([HEADER, *ROWS, ""])


class Bad(NamedTuple):
    """A broken data set at `data`."""

    content: str | bytes | Callable[[Path], None]
    """of a file, or what makes something else there"""
    error: str
    """all that is printed"""
    md5: str = ""


def pixels(first: str) -> str:
    """2,304 pixels of which the first is given."""
    return PIXELS.replace("7", first, 1)


def line_2(emotion: str = "3", pixels: str = PIXELS, usage: str = "Training") -> str:
    """The valid csv with another first row."""
    return VALID.replace(ROWS[0], f"{emotion},{pixels},{usage}", 1)


def png(mode: str = "L", size: tuple[int, int] = (48, 48)) -> bytes:
    """A black image."""
    file = io.BytesIO()
    Image.new(mode, size).save(file, "PNG")
    return file.getvalue()


def folder(files: Mapping[str, bytes]) -> Callable[[Path], None]:
    """Make a valid folder layout and add files to it."""

    def make(root: Path) -> None:
        valid = {f"{split}/happy/1.png": png() for split in ("Training", "PublicTest", "PrivateTest")}
        for place, content in {**valid, **files}.items():
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    return make


def only_folders(*names: str) -> Callable[[Path], None]:
    """Make empty folders."""

    def make(root: Path) -> None:
        root.mkdir()
        for name in names:
            (root / name).mkdir(parents=True)

    return make


def zipped(text: str) -> bytes:
    """A zip archive of the csv."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("fer2013.csv", text)
    return file.getvalue()


def icml(text: str) -> str:
    """The csv with the columns in the order of icml_face_data.csv, without the last line end."""
    rows = [line.split(",") for line in text.splitlines()]
    return "\n".join(f"{emotion},{usage},{pixels}" for emotion, pixels, usage in rows)

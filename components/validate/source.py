"""What reading gives, and how a faulty data set is told of."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from components.fer.dataset import USAGES, Faces
from components.fer.errors import InputError

GENUINE_MD5 = "f8428a1edbd21e88f42c73edd2a14f95"
"""md5 of the official fer2013.csv."""

GENUINE_ROWS = 35_887
"""Images in the official fer2013.csv."""

FETCH = "Fetch it again: dvc pull data.dvc --force"
OFFICIAL = "Fetch the official csv: make data"

SHOWN = 5
"""Faults that are told one by one; the rest is counted."""


class Source(NamedTuple):
    """A data set as it was read."""

    faces: Faces
    layout: str
    """the csv's columns in their order, `folder`, or the data set by name (rafdb, ckplus, affectnet)"""
    md5: str
    """of the csv's bytes; for a folder, of its images, labels and splits as arrays"""
    usages: tuple[str, ...] = USAGES
    """the splits that the authors made; images that are in none have the usage 0"""
    left_out: Mapping[str, int] = MappingProxyType({})
    """number of images that are none of the expressions read, by what they are"""


def content_md5(faces: Faces) -> str:
    """The md5 of images, labels and splits: of the pixels, not of files, as an image encoded anew is the same data."""
    digest = hashlib.md5(usedforsecurity=False)
    for array in (faces.images, faces.label, faces.usage):
        digest.update(array.tobytes())
    return digest.hexdigest()


@dataclass
class Faults:
    """The faults of one data set in the order of reading: the first few in words, the others as a number."""

    path: str
    convention: str = ""
    """how a place in the data set is counted"""
    first: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, where: str, expected: str, received: str) -> None:
        """Note one fault."""
        self.count += 1
        if self.count <= SHOWN:
            self.first.append(f"  {where}: expected {expected}, received {received}")

    def raise_any(self, mend: str) -> None:
        """Raise `InputError` with everything noted, if anything was."""
        if self.count == 0:
            return
        number = "1 fault" if self.count == 1 else f"{self.count:,} faults"
        rest = [f"  and {self.count - SHOWN:,} more"] if self.count > SHOWN else []
        raise InputError("\n".join([f"data set {self.path}: {number}{self.convention}:", *self.first, *rest]), mend)


def mend(md5: str, otherwise: str) -> str:
    """Say what mends a faulty csv: data.dvc brings the genuine one again, and no other."""
    return FETCH if md5 == GENUINE_MD5 else otherwise


def shown(text: bytes, limit: int = 20) -> str:
    """Quote text of any origin in an error: printable, and cut where it is long."""
    if not text:
        return "nothing"
    quoted = repr(text[:limit].decode("latin-1"))
    return f"{quoted}..." if len(text) > limit else quoted

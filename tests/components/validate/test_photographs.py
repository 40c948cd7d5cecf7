"""Photographs of any kind become small grey images, or are told of."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.validate import photographs
from components.validate.photographs import Box, Photograph
from components.validate.source import Faults
from tests.components.validate.photos import FACE, grey, photograph


def read(root: Path, *listed: Photograph) -> tuple[np.ndarray, list[str]]:
    """Images that are read, and what is told of the others."""
    faults = Faults(str(root))
    return photographs.read(root, listed, faults).images, [told.partition("received ")[2] for told in faults.first]


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [(48, 48), (100, 100), (640, 490), (20, 30)])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_any_size_and_colour_is_read(mode: str, size: tuple[int, int], suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"photograph{suffix}"
    grey(path, 77, mode, size)
    images, told = read(tmp_path, Photograph(path, 3, 0))
    assert (images == 77).all()
    assert told == []


def test_a_box_is_cropped_to_as_far_as_it_is_in_the_photograph(tmp_path: Path) -> None:
    photograph(tmp_path / "face.png", 200)
    left, top, right, bottom = FACE
    (face, upper_left), told = read(
        tmp_path,
        Photograph(tmp_path / "face.png", 3, 0, Box(left, top, right, bottom)),
        Photograph(tmp_path / "face.png", 3, 0, Box(-1e9, -1e9, left, top)),
    )
    assert (face == 200).all()
    assert (upper_left == 0).all()
    assert told == []


def test_what_cannot_be_read_is_told_and_left_out(tmp_path: Path) -> None:
    grey(tmp_path / "good.png", 50)
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:60])
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    Image.new("1", (10_000, 10_000)).save(tmp_path / "lesser_bomb.png")
    Image.new("L", (9, 9)).save(tmp_path / "image.gif")
    names = ("absent.png", "cut.png", "bomb.png", "lesser_bomb.png", "image.gif", "good.png")
    images, told = read(tmp_path, *(Photograph(tmp_path / name, 3, 0) for name in names))
    assert told == ["nothing", *["a file that is damaged or no image"] * 4]
    assert images.mean() == 50


def test_a_face_beyond_the_edge_is_told(tmp_path: Path) -> None:
    grey(tmp_path / "one.png", 50)
    _, told = read(tmp_path, Photograph(tmp_path / "one.png", 3, 0, Box(100, 0, 150, 50)))
    assert told == ["one of 100 x 100 with the face beyond its edge"]

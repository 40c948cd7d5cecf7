"""Every layout of the data set reads as the same faces."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from components.fer import made_faces
from components.fer.dataset import EXPRESSIONS, USAGES, Faces
from components.fer.errors import InputError
from components.validate.csv_layout import parse_pixels
from components.validate.folder_layout import read_folder
from components.validate.reader import read
from tests.components.fer import strategies
from tests.components.validate.bad.make import PIXELS, ROWS, VALID, png


@st.composite
def whole(draw: st.DrawFn) -> Faces:
    """Draw a data set with images in each split."""
    faces = draw(strategies.faces(least=3))
    faces.usage[:3] = [0, 1, 2]
    return faces


def equal(one: Faces, other: Faces) -> bool:
    """Same images, labels and usages in the same order."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) and getattr(one, name).dtype == np.uint8
        for name in ("images", "label", "usage")
    )


def write_icml(csv: Path, path: Path) -> None:
    """Write a csv again as icml_face_data.csv is written: other order of columns, spaces in the header."""
    rows = [line.split(",") for line in csv.read_text().splitlines()[1:]]
    lines = ["emotion, Usage, pixels", *(f"{emotion},{usage},{pixels}" for emotion, pixels, usage in rows), ""]
    path.write_text("\n".join(lines))


def write_folder(data: Faces, root: Path, splits: tuple[str, str, str]) -> None:
    """Write a data set as SPLIT/EXPRESSION/*.png."""
    for row, (image, label, usage) in enumerate(zip(data.images, data.label, data.usage, strict=True)):
        folder = root / splits[usage] / EXPRESSIONS[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{row:05d}.png")


@settings(deadline=None)
@given(whole())
def test_what_is_written_as_csv_reads_back(tmp_path_factory: pytest.TempPathFactory, data: Faces) -> None:
    path = tmp_path_factory.getbasetemp() / "fer2013.csv"
    made_faces.write_csv(data, path)
    source = read(str(path), "")
    assert equal(source.faces, data)
    assert source.layout == "emotion,pixels,Usage"


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_pixels_read_as_they_were_written(seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 256, 2304).tolist()
    pixels = parse_pixels(" ".join(map(str, values)).encode())
    assert pixels is not None
    assert pixels.tolist() == values


@settings(deadline=None)
@given(st.integers(0, 2303), st.text("0123456789 -+.e\t\n\0", max_size=4))
def test_a_pixel_is_an_integer_from_0_to_255_or_refused(place: int, text: str) -> None:
    pixels = ["7"] * 2304
    pixels[place] = text
    is_pixel = text.isdigit() and int(text) <= 255
    assert (parse_pixels(" ".join(pixels).encode()) is not None) == is_pixel


def test_icml_face_data_is_the_same_data_set(made: Faces, made_csv: Path, tmp_path: Path) -> None:
    write_icml(made_csv, tmp_path / "icml_face_data.csv")
    source = read(str(tmp_path / "icml_face_data.csv"), "")
    assert equal(source.faces, made)
    assert source.layout == "emotion,Usage,pixels"


@pytest.mark.parametrize("splits", [USAGES, ("train", "public", "private"), ("training", "publictest", "privatetest")])
def test_the_folder_layout_is_the_same_data_set_by_split_expression_and_name(
    made: Faces, tmp_path: Path, splits: tuple[str, str, str]
) -> None:
    write_folder(made, tmp_path, splits)
    source = read(str(tmp_path), "")
    order = np.lexsort((made.label, made.usage))
    assert equal(source.faces, Faces(made.images[order], made.label[order], made.usage[order]))
    assert (source.layout, len(source.md5)) == ("folder", 32)


def test_a_folder_of_contempt_is_one_of_eight_expressions(tmp_path: Path) -> None:
    for split in USAGES:
        folder = tmp_path / split / "contempt"
        folder.mkdir(parents=True)
        Image.new("L", (48, 48), 7).save(folder / "1.png")
    assert read(str(tmp_path), "", expressions=8).faces.label.tolist() == [7, 7, 7]
    with pytest.raises(InputError, match=r"expected one of the folders angry, .*, neutral, received 'contempt'"):
        read(str(tmp_path), "")


def test_jpeg_and_hidden_files_lie_in_folders_too(tmp_path: Path) -> None:
    for split in USAGES:
        folder = tmp_path / split / "Happy"
        folder.mkdir(parents=True)
        Image.new("L", (48, 48), 7).save(folder / "1.JPG")
    (folder / ".DS_Store").write_bytes(b"\0")
    assert read_folder(str(tmp_path), 7).faces.images.mean() == 7


@settings(deadline=None)
@given(st.integers(0, len(png()) - 1), st.integers(0, 255))
def test_a_damaged_image_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, place: int, value: int) -> None:
    root = tmp_path_factory.getbasetemp() / "damaged"
    for split in USAGES:
        (root / split / "sad").mkdir(parents=True, exist_ok=True)
        (root / split / "sad" / "1.png").write_bytes(png())
    content = bytearray(png())
    content[place] = value
    (root / "Training" / "sad" / "1.png").write_bytes(content)
    with contextlib.suppress(InputError):  # anything else would be a traceback
        read(str(root), "")


@pytest.mark.parametrize(
    "text",
    [
        VALID.replace("\n", "\r\n"),
        VALID.rstrip("\n"),
        "\n".join(["Usage,emotion,pixels", *(",".join([r.split(",")[i] for i in (2, 0, 1)]) for r in ROWS), ""]),
        VALID.replace(PIXELS, f'"{PIXELS}"'),
        VALID.replace(",", ", "),
        VALID.replace(PIXELS, PIXELS.replace("7", "007")),
    ],
    ids=[
        "windows line ends",
        "no last line end",
        "another order",
        "quoted pixels",
        "spaces after commas",
        "zeros before",
    ],
)
def test_harmless_spellings_are_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(text.encode())
    data = read(str(path), "").faces
    assert data.images.min() == data.images.max() == 7
    assert (data.label.tolist(), data.usage.tolist()) == ([3, 0, 6], [0, 1, 2])


def test_the_md5_of_the_csv_is_accepted(made_csv: Path) -> None:
    md5 = read(str(made_csv), "").md5
    assert read(str(made_csv), md5).md5 == md5


@pytest.mark.slow
@pytest.mark.genuine
def test_the_genuine_csv_is_read(genuine: Faces) -> None:
    assert genuine.images.shape == (35_887, 48, 48)
    assert np.bincount(genuine.usage).tolist() == [28_709, 3_589, 3_589]

"""Any photo becomes faces as FER2013 has them; what is no photo is told so."""

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from components.fer.dataset import SIDE, Faces
from components.fer.errors import InputError
from components.serve.errors import NoFace
from components.serve.photo import Pixels, face, faces
from tests.components.serve.bombs import claimed, many_scans
from tests.components.serve.photos import FACE, alike, near, photo, written

ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def expected() -> Pixels:
    """The face in the photo as it is."""
    (found,) = faces(written(photo()))
    return found.pixels


def test_a_face_is_found_and_cropped(expected: Pixels) -> None:
    (found,) = faces(written(photo()))
    assert expected.shape == (SIDE, SIDE, 1)
    assert expected.dtype == np.uint8
    assert found.box == FACE
    left, top, width, height = FACE
    by_hand = photo().convert("L").crop((left, top, left + width, top + height)).resize((SIDE, SIDE))
    assert alike(expected[..., 0], np.asarray(by_hand)) > 0.99


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM"])
def test_of_whatever_format(form: str, expected: Pixels) -> None:
    assert alike(face(written(photo(), form)), expected) > 0.98


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("PNG", "P"),
        ("PNG", "RGBA"),
        ("PNG", "LA"),
        ("TIFF", "YCbCr"),
        ("TIFF", "CMYK"),
    ],
)
def test_of_whatever_colours(form: str, mode: str, expected: Pixels) -> None:
    assert alike(face(written(photo().convert(mode), form)), expected) > 0.98


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_of_16_bits(form: str, expected: Pixels) -> None:
    deep = Image.fromarray(np.asarray(photo().convert("L")).astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    assert alike(face(written(deep, form)), expected) > 0.99


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_as_its_camera_says(orientation: int, expected: Pixels) -> None:
    """By EXIF, where 6 means: turn it by 90 degrees clockwise to look at it."""
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transpositions that undo them
    held = photo().transpose(Image.Transpose(turns[orientation])) if orientation > 1 else photo()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    (found,) = faces(written(held, "JPEG", exif=exif.tobytes(), quality=95))
    assert alike(found.pixels, expected) > 0.98
    assert near(found.box, FACE)


def test_what_is_transparent_is_white() -> None:
    hidden = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    (found,) = faces(written(hidden))
    assert (found.pixels == 255).all()


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_48_by_48_grey_pixels_are_a_face_as_they_are(mode: str, made: Faces) -> None:
    image = made.images[0]
    picture = Image.fromarray(image.astype(np.uint16) * 257 if mode == "I;16" else image)
    (found,) = faces(written(picture if mode == "I;16" else picture.convert(mode)))
    assert found.box is None
    np.testing.assert_array_equal(found.pixels[..., 0], image)


def test_48_by_48_pixels_with_colours_are_a_photo() -> None:
    with pytest.raises(NoFace):
        faces(written(Image.new("RGB", (SIDE, SIDE), "red")))


def test_faces_are_given_from_left_to_right_and_the_largest_alone() -> None:
    both = Image.new("RGB", (1500, 900), "grey")
    both.paste(photo().resize((768, 900)), (700, 0))
    both.paste(photo(), (50, 150))
    small, large = faces(written(both))
    left, top, side, _ = FACE
    assert near(small.box, (50 + left, 150 + top, side, side))
    assert near(large.box, (700 + 1.5 * left, 1.5 * top, 1.5 * side, 1.5 * side))
    np.testing.assert_array_equal(face(written(both)), large.pixels)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_of_many_megapixels(form: str) -> None:
    """11 megapixels; a JPEG is read at a fraction of its size, and places are those of the photo all the same."""
    (found,) = faces(written(photo().resize((3072, 3600)), form))
    assert near(found.box, tuple(6 * length for length in FACE))


def test_small_faces_are_enlarged_to_be_found() -> None:
    (found,) = faces(written(photo().resize((128, 150), Image.Resampling.LANCZOS)))
    assert near(found.box, tuple(length / 4 for length in FACE))


def test_beyond_the_edge_are_the_pixels_of_the_edge() -> None:
    """A picture that ends where the face does, as selfies do."""
    left, top, side, _ = FACE
    (found,) = faces(written(photo().crop((left + 40, top + 40, left + side - 40, top + side - 15))))
    assert near(found.box, (-40, -40, side, side))
    assert found.box is not None
    assert max(found.box[:2]) < -20
    assert (found.pixels[:, 0] == found.pixels[:, 1]).all()
    assert (found.pixels[0] == found.pixels[1]).all()


def test_without_a_face() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    with pytest.raises(NoFace) as raised:
        faces(written(Image.fromarray(noise)), "image wall.png")
    assert str(raised.value).startswith("image wall.png: expected a face, found none.\n")


@pytest.mark.parametrize("side", [7_100, 12_000, 60_000])
def test_what_unpacks_into_too_many_pixels_is_refused_unread(side: int) -> None:
    with pytest.raises(InputError, match=r"^image a\.png: expected a picture of at most 50,331,648 pixels"):
        faces(claimed(side, side), "image a.png")


def test_a_jpeg_of_many_scans_is_refused_unread() -> None:
    with pytest.raises(InputError, match=r"^image a: expected a JPEG of at most 40 scans, received 306\."):
        faces(many_scans(64, 300), "image a")


def test_scans_are_those_of_the_picture_alone(expected: Pixels) -> None:
    """What looks like one in a comment is none, nor what phones put behind a picture."""
    content = written(photo(), "JPEG", progressive=True, quality=95, comment=b"\xff\xda" * 100) + b"\xff\xda" * 100
    assert alike(face(content), expected) > 0.98


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF"])
def test_what_is_cut_short_is_refused(form: str) -> None:
    whole = written(photo(), form)
    for part in (0.1, 0.5, 0.9):
        with pytest.raises(InputError, match=r"^image a: expected a") as raised:
            faces(whole[: int(part * len(whole))], "image a")
        assert not isinstance(raised.value, NoFace)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"\xff\xd8\xff",
        b"RIFF1234WEBP",
    ],
)
def test_what_is_no_picture_is_told(content: bytes) -> None:
    with pytest.raises(InputError, match=r"^image a: expected a.* picture, received"):
        faces(content, "image a")


@pytest.mark.parametrize("seed", range(40))
def test_damage_is_refused_or_passed_over_but_nothing_else(seed: int) -> None:
    """Bytes that changed on the way: an error of ours, or a face that is found all the same."""
    random = np.random.default_rng(seed)
    form = ("JPEG", "PNG", "WEBP", "TIFF", "GIF")[seed % 5]
    content = bytearray(written(photo().resize((256, 300)), form))
    for place in random.integers(0, min(len(content), 2000), 5):
        content[place] = random.integers(0, 256)
    with contextlib.suppress(InputError):
        assert all(found.pixels.shape == (SIDE, SIDE, 1) for found in faces(bytes(content)))


@pytest.mark.parametrize("values", [np.float32(0.5), np.int32(70_000), np.int32(-1)])
def test_other_than_8_or_16_bits_are_refused(values: np.generic) -> None:
    picture = Image.fromarray(np.full((200, 200), values))
    with pytest.raises(InputError, match=r"^photo: expected 8 or 16 bits a channel, received mode [FI]"):
        faces(written(picture, "TIFF"))


def test_threads_may_look_at_once(expected: Pixels) -> None:
    content = written(photo())
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(face, [content] * 24):
            np.testing.assert_array_equal(found, expected)


def test_a_picture_of_several_takes_the_first(expected: Pixels) -> None:
    """As phones write them (MPO), and moving pictures."""
    file = io.BytesIO()
    photo().save(file, "MPO", save_all=True, append_images=[Image.new("RGB", photo().size)])
    assert alike(face(file.getvalue()), expected) > 0.98
    file = io.BytesIO()
    photo().save(file, "GIF", save_all=True, append_images=[Image.new("RGB", photo().size)])
    assert alike(face(file.getvalue()), expected) > 0.97

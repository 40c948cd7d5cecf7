from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.evaluate import poses
from components.fer.errors import InputError


def test_images_are_read_by_name_as_grey_squares(tmp_path: Path) -> None:
    picture = Image.new("RGB", (200, 100), (255, 255, 255))
    picture.paste((0, 0, 0), (50, 0, 150, 100))  # the square in the middle
    picture.save(tmp_path / "right.jpg", quality=95)
    Image.new("L", (48, 48), 90).save(tmp_path / "front.PNG")
    (tmp_path / "notes.txt").touch()
    faces = poses.read(tmp_path)
    assert list(faces) == ["front", "right"]
    assert all(face.shape == (48, 48, 1) and face.dtype == np.uint8 for face in faces.values())
    assert (faces["front"] == 90).all()
    assert faces["right"].max() < 64, "nothing of the white sides but JPEG's ringing"


def test_an_image_is_turned_as_its_camera_was(tmp_path: Path) -> None:
    picture = Image.new("L", (48, 48), 0)
    picture.paste(255, (0, 0, 48, 24))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    picture.save(tmp_path / "front.png", exif=exif)
    face = poses.read(tmp_path)["front"]
    assert face[:20].max() == 0
    assert face[28:].min() == 255


def test_rows_say_answer_and_probabilities() -> None:
    (row,) = poses.table({"left": np.array([0, 0, 0.1, 0.6, 0, 0, 0.3], np.float32)})
    assert (row["pose"], row["answer"]) == ("left", "happy")
    assert row["neutral"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (None, b"", "No such file"),
        ("notes.txt", b"a face", r"expected images \(\.png, \.jpg, \.jpeg\), found none"),
        ("front.png", b"no image", r"front\.png: expected an image"),
        ("front.png", b"\x89PNG\r\n\x1a\n", r"front\.png: expected an image"),
    ],
)
def test_what_is_no_folder_of_images_is_refused(tmp_path: Path, name: str | None, content: bytes, message: str) -> None:
    folder = tmp_path / "poses"
    if name:
        folder.mkdir()
        (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=f"poses?.*{message}.*\n.*evaluate.poses to ''"):
        poses.read(folder)

"""Drawn faces are found by dlib's detector, cropped, and turned upright."""

import subprocess
import sys
import time
from pathlib import Path

import dlib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from components.fer.dataset import Faces
from components.fer.errors import InputError
from components.preprocess import alignment
from components.preprocess.alignment import BORDER, SCALES, align, aligned, cropped
from tests.conftest import ROOT

Pixels = NDArray[np.uint8]

MIDDLE = slice(12, 36), slice(12, 36)
"""What a turn leaves within an image."""

POINTS = ((31, 19), (29, 19), (17, 19), (19, 19), (24, 26))
"""Points of a drawn face in the order of dlib's: the corners of the eye on the right, of the eye on the left, nose."""


@pytest.fixture(scope="module")
def face(made: Faces) -> Pixels:
    """A drawn face."""
    image: Pixels = made.images[6]
    return image


def turned(image: Pixels, degrees: float) -> Pixels:
    """Turn an image counterclockwise around its middle."""
    return cropped(image, 24, 24, 48, np.radians(degrees))


def correlation(one: Pixels, other: Pixels) -> float:
    return float(np.corrcoef(one[MIDDLE].ravel(), other[MIDDLE].ravel())[0, 1])


def found(image: Pixels, landmarks: str = "") -> Pixels:
    """The face in an image that shows one."""
    result = aligned(image, landmarks)
    assert result is not None
    return result


def shape_predictor(face: Pixels, points: tuple[tuple[int, int], ...], path: Path) -> str:
    """A shape predictor that has learned where a face's points are from the turns of it that are detected."""
    options = dlib.shape_predictor_training_options()
    options.tree_depth, options.cascade_depth, options.num_trees_per_cascade_level = 2, 6, 60
    options.oversampling_translation_jitter, options.num_threads = 0.1, 1
    detector, scale = dlib.get_frontal_face_detector(), SCALES[0]
    images, shapes = [], []
    for degrees in range(-20, 21, 2):
        bordered = Image.fromarray(np.pad(turned(face, degrees), BORDER, mode="edge"))
        image = np.asarray(bordered.resize((bordered.width * scale,) * 2, Image.Resampling.BICUBIC))
        angle = -np.radians(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        places = ((np.array(points) + 0.5 - 24) @ turn.T + 24 + BORDER) * scale
        for box in detector(image):
            images.append(image)
            shapes.append([dlib.full_object_detection(box, [dlib.point(int(x), int(y)) for x, y in places])])
    dlib.train_shape_predictor(images, shapes, options).save(str(path))
    return str(path)


@pytest.fixture(scope="module")
def landmarks(face: Pixels, tmp_path_factory: pytest.TempPathFactory) -> str:
    return shape_predictor(face, POINTS, tmp_path_factory.mktemp("landmarks") / "points.dat")


def test_a_crop_of_the_whole_image_is_the_image(face: Pixels) -> None:
    np.testing.assert_array_equal(cropped(face, 24, 24, 48, 0), face)


def test_a_turn_is_counterclockwise(face: Pixels) -> None:
    np.testing.assert_allclose(turned(face, 90), np.rot90(face), atol=1)


def test_a_crop_shows_its_square_and_repeats_the_edge_beyond_the_image() -> None:
    image = np.zeros((48, 48), np.uint8)
    image[:24, :24] = 200
    assert (cropped(image, 12, 12, 20, 0) == 200).all()
    assert (cropped(image, 0, 0, 40, 0) == 200).all()


@pytest.mark.parametrize(("across", "down"), [(8, 0), (-8, 0), (0, 8)])
def test_wherever_a_face_is_it_is_cropped_to(across: int, down: int, face: Pixels) -> None:
    moved = cropped(face, 24 + across, 24 + down, 48, 0)
    assert correlation(moved, face) < 0.5
    assert correlation(found(moved), found(face)) > 0.99


@pytest.mark.parametrize("degrees", [-16, -8, 8, 16])
def test_by_landmarks_a_face_is_turned_back_by_as_much_as_it_was_turned(
    degrees: int, face: Pixels, landmarks: str
) -> None:
    image = turned(face, degrees)
    cut, upright = found(image), found(image, landmarks)
    by_angle = {angle: correlation(upright, turned(cut, angle)) for angle in range(-24, 25, 2)}
    assert max(by_angle.values()) > 0.98
    assert abs(max(by_angle, key=lambda angle: by_angle[angle]) + degrees) <= 4


def test_without_a_face_nothing_is_found() -> None:
    assert aligned(np.full((48, 48), 127, np.uint8), "") is None


def test_images_in_which_no_face_is_found_stay_as_they_are(made: Faces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "CHUNK", 8)
    images = made.images[30:60]  # one of them is black
    result = align(images, "")
    one_by_one = [aligned(image, "") for image in images]
    assert result.detected.tolist() == [face is not None for face in one_by_one]
    assert 0 < result.detected.sum() < 30
    for image, alone, together in zip(images, one_by_one, result.images, strict=True):
        np.testing.assert_array_equal(together, image if alone is None else alone)


@pytest.mark.parametrize("content", [None, b"no shape predictor"])
def test_what_is_no_shape_predictor_is_told(content: bytes | None, face: Pixels, tmp_path: Path) -> None:
    path = tmp_path / "landmarks.dat"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"landmarks.dat: not a shape predictor of dlib") as caught:
        align(face[None], str(path))
    assert str(caught.value).endswith(alignment.MEND)


def test_a_shape_predictor_without_known_eyes_is_refused(face: Pixels, tmp_path: Path) -> None:
    path = shape_predictor(face, POINTS[:3], tmp_path / "three.dat")
    with pytest.raises(InputError, match="expected 5 or 68 points, received 3"):
        align(face[None], path)


ENDLESS = """
import sys
import numpy as np
from components.preprocess import alignment

if __name__ == "__main__":
    alignment.align(np.random.default_rng(1).integers(0, 256, (100_000, 48, 48), np.uint8), "")
"""


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in tasks.read_text().split()]


@pytest.mark.slow
def test_a_killed_stage_leaves_no_process_behind(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS)
    with subprocess.Popen([sys.executable, tmp_path / "endless.py"], env={"PYTHONPATH": str(ROOT)}) as process:
        started = time.monotonic()
        while len(workers := children(process.pid)) < 2 and time.monotonic() - started < 60:
            time.sleep(0.1)
        time.sleep(3)  # they have begun
        process.kill()
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() - started < 90:
        time.sleep(0.1)
    assert workers
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]

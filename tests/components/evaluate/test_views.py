import numpy as np
import pytest

from components.evaluate import views
from components.fer.dataset import Predictions

IMAGES = np.random.default_rng(1).integers(0, 256, (2, 48, 48, 1), np.uint8)


def test_no_view_but_the_image() -> None:
    assert not list(views.others(IMAGES, "none"))


def test_a_mirrored_image_has_left_and_right_exchanged() -> None:
    (mirrored,) = views.others(IMAGES, "flip")
    np.testing.assert_array_equal(mirrored[1, :, 0], IMAGES[1, :, 47])


def test_ten_crops_are_the_corners_and_the_middle_each_mirrored() -> None:
    seen = [IMAGES, *views.others(IMAGES, "ten_crop")]
    assert len({view.tobytes() for view in seen}) == 10
    for image, mirrored in zip(seen[::2], seen[1::2], strict=True):
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(views.mirrored(image), mirrored)


def test_a_shift_moves_the_face_and_repeats_the_border() -> None:
    moved = list(views.others(IMAGES, "ten_crop"))[1]
    np.testing.assert_array_equal(moved[:, 3:, 3:], IMAGES[:, :45, :45])
    np.testing.assert_array_equal(moved[:, :3, 10], np.repeat(IMAGES[:, :1, 7], 3, axis=1))


@pytest.mark.parametrize(("kind", "count"), [("none", 1), ("flip", 2), ("ten_crop", 10)])
def test_the_answer_is_the_mean_over_the_views(kind: views.Kind, count: int) -> None:
    asked = []

    def ask(images: np.ndarray) -> np.ndarray:
        asked.append(images)
        return np.tile(np.eye(7, dtype=np.float32)[1], (2, 1))

    number = np.zeros(2, np.uint8)
    alone = np.tile(np.eye(7, dtype=np.float32)[0], (2, 1))
    answer = views.over(Predictions(np.arange(2, dtype=np.int32), number, number, alone), IMAGES, kind, ask)
    assert len(asked) == count - 1
    assert answer.probabilities.dtype == np.float32
    np.testing.assert_allclose(answer.probabilities[:, :2], [[1 / count, 1 - 1 / count]] * 2, rtol=1e-6)

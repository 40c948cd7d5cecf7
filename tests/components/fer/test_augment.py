"""What augmentation does to a picture, and that it does nothing at inference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.fer.augment import Augment
from components.fer.dataset import Faces

OFF = {"flip": False, "rotation": 0.0, "shift": 0.0, "zoom": 0.0, "brightness": 0.0, "contrast": 0.0, "seed": 1}
ALL = {"flip": True, "rotation": 15.0, "shift": 0.1, "zoom": 0.1, "brightness": 0.2, "contrast": 0.2, "seed": 1}


def augmented(images: np.ndarray, **ranges: float) -> np.ndarray:
    return np.asarray(Augment(**{**OFF, **ranges})(images.astype(np.float32), training=True))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def images(made: Faces) -> np.ndarray:
    return made.images[:64, :, :, None]


def test_nothing_at_inference(images: np.ndarray) -> None:
    given = images.astype(np.float32)
    assert np.array_equal(np.asarray(Augment(**ALL)(given, training=False)), given)  # type: ignore[arg-type]


def test_ranges_of_zero_change_nothing(images: np.ndarray) -> None:
    assert np.abs(augmented(images) - images).max() < 0.01


def test_a_flip_is_the_mirror_image_of_about_half(images: np.ndarray) -> None:
    result = augmented(images, flip=True)
    same = np.abs(result - images).max(axis=(1, 2, 3)) < 0.01
    mirrored = np.abs(result - images[:, :, ::-1]).max(axis=(1, 2, 3)) < 0.01
    assert np.all(same | mirrored)
    assert 16 <= mirrored.sum() <= 48


def test_a_shift_moves_by_at_most_its_range() -> None:
    dot = np.zeros((64, 48, 48, 1))
    dot[:, 24, 24] = 255
    result = augmented(dot, shift=0.1)[..., 0]
    mass = result.sum(axis=(1, 2))
    rows, columns = np.mgrid[:48, :48]
    for place in (rows, columns):
        moved = (result * place).sum(axis=(1, 2)) / mass - 24
        assert np.abs(moved).max() <= 4.8 + 0.5
        assert np.abs(moved).max() > 3
        assert (moved > 0).any()
        assert (moved < 0).any()


def test_a_rotation_turns_about_the_middle() -> None:
    line = np.zeros((64, 48, 48, 1))
    line[:, :, 23:25] = 255
    result = augmented(line, rotation=20.0)[..., 0]
    upper = (result[:, 8] * np.arange(48)).sum(axis=1) / result[:, 8].sum(axis=1) - 23.5
    degrees = np.degrees(np.arctan2(upper, 23.5 - 8))
    assert 15 < np.abs(degrees).max() <= 20.5
    assert np.abs((result[:, 23] * np.arange(48)).sum(axis=1) / result[:, 23].sum(axis=1) - 23.5).max() < 0.5


def test_a_zoom_changes_the_size() -> None:
    square = np.zeros((64, 48, 48, 1))
    square[:, 12:36, 12:36] = 255
    side = np.sqrt((augmented(square, zoom=0.2) / 255).sum(axis=(1, 2, 3)))
    assert side.min() > 24 / 1.2 - 0.7
    assert side.max() < 24 / 0.8 + 0.7
    assert side.max() - side.min() > 6


def test_borders_repeat_the_nearest_pixel() -> None:
    flat = np.full((16, 48, 48, 1), 200.0)
    assert np.abs(augmented(flat, rotation=30.0, shift=0.2, zoom=0.2) - 200).max() < 0.01


def test_brightness_adds_the_same_to_every_pixel(images: np.ndarray) -> None:
    grey = images * 0.5 + 64.0
    difference = (augmented(grey, brightness=0.1) - grey)[..., 0]
    assert np.ptp(difference, axis=(1, 2)).max() < 0.02
    assert 10 < np.abs(difference).max() <= 25.5 + 0.02


def test_contrast_keeps_the_mean_and_scales_the_rest(images: np.ndarray) -> None:
    grey = images[:37] * 0.25 + 96.0  # image 37 is constant
    result = augmented(grey, contrast=0.3)
    assert np.abs(result.mean(axis=(1, 2, 3)) - grey.mean(axis=(1, 2, 3))).max() < 0.05
    ratio = result.std(axis=(1, 2, 3)) / grey.std(axis=(1, 2, 3))
    assert 0.7 - 0.01 < ratio.min() < 0.9
    assert 1.1 < ratio.max() < 1.3 + 0.01


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), reach=st.floats(0, 0.9))
def test_values_stay_grey_values(seed: int, reach: float) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (4, 48, 48, 1)).astype(np.uint8)
    result = augmented(noise, rotation=180.0, shift=reach, zoom=reach, brightness=reach, contrast=reach, seed=seed)
    assert result.min() >= 0
    assert result.max() <= 255


def test_each_image_draws_its_own_values(images: np.ndarray) -> None:
    same = np.repeat(images[:1], 8, axis=0)
    result = augmented(same, **{name: value for name, value in ALL.items() if name != "seed"})
    assert len(np.unique(result.reshape(8, -1), axis=0)) == 8


def test_the_seed_decides(images: np.ndarray) -> None:
    first, again, other = (augmented(images, rotation=10.0, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)

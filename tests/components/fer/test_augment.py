"""What augmentation does to a picture, and that it does nothing at inference."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.fer.augment import Augment
from components.fer.dataset import Faces

ALL = {
    "flip": True,
    "rotation": 15.0,
    "shift": 0.1,
    "zoom": 0.1,
    "brightness": 0.2,
    "contrast": 0.2,
    "gamma": 0.2,
    "erasing": 0.5,
}


def layer(**changes: float) -> Augment:
    """Augmentation with the seed 1 and all ranges 0, but for the changes."""
    return Augment(**{**dict.fromkeys(ALL, 0.0), "seed": 1, **changes})  # type: ignore[arg-type]


def augmented(images: np.ndarray, **changes: float) -> np.ndarray:
    given = keras.ops.convert_to_tensor(images.astype(np.float32))
    return np.asarray(keras.ops.convert_to_numpy(layer(**changes)(given, training=True)))


@pytest.fixture(scope="module")
def images(made: Faces) -> np.ndarray:
    return made.images[:64, :, :, None]


def test_nothing_at_inference(images: np.ndarray) -> None:
    given = keras.ops.convert_to_tensor(images.astype(np.float32))
    assert layer(**ALL).call(given, training=False) is given


def test_ranges_of_zero_cost_nothing(images: np.ndarray) -> None:
    given = keras.ops.convert_to_tensor(images.astype(np.float32))
    assert layer().call(given, training=True) is given


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


def test_gamma_raises_grey_values_to_a_power() -> None:
    grey = np.tile(np.linspace(0, 255, 48), (64, 48, 1))[..., None]
    result = augmented(grey, gamma=0.3)
    assert np.abs(result[:, :, 0]).max() == 0
    assert np.abs(result[:, :, -1] - 255).max() < 0.01
    exponent = np.log(result[:, :, 1:-1] / 255) / np.log(grey[:, :, 1:-1] / 255)
    assert np.ptp(exponent, axis=(1, 2, 3)).max() < 0.001
    assert 0.7 <= exponent.min() < 0.8
    assert 1.2 < exponent.max() <= 1.3


def test_erasing_puts_noise_in_one_rectangle_of_some_images() -> None:
    white = np.full((400, 48, 48, 1), 255.0)
    result = augmented(white, erasing=0.4)[..., 0]
    erased = result < 255  # a pixel of noise is almost never white
    assert 0.3 < erased.any(axis=(1, 2)).mean() < 0.5
    rows, columns = (erased.any(axis=axis).sum(axis=1) for axis in (2, 1))
    assert np.all(erased.sum(axis=(1, 2)) >= 0.99 * rows * columns)  # the erased pixels fill the box around them
    assert np.abs(result[erased].mean() - 127.5) < 2
    assert np.abs(result[erased].std() - 255 / np.sqrt(12)) < 2


def test_an_erased_rectangle_has_the_published_area_and_aspect() -> None:
    erased = augmented(np.full((400, 48, 48, 1), 255.0), erasing=0.999)[..., 0] < 255
    rows, columns = (erased.any(axis=axis).sum(axis=1) for axis in (2, 1))
    rows, columns = rows[rows > 0], columns[columns > 0]
    # Sides are whole pixels, so a rectangle may miss the drawn area and aspect by half a pixel each way.
    assert np.all((rows + 0.5) * (columns + 0.5) >= 0.02 * 48 * 48)
    assert np.all((rows - 0.5) * (columns - 0.5) <= 0.20 * 48 * 48)
    assert np.all((rows + 0.5) / (columns - 0.5) >= 0.3)
    assert np.all((rows - 0.5) / (columns + 0.5) <= 1 / 0.3)
    assert 0.4 < (rows > columns).mean() < 0.6
    assert np.ptp(rows * columns) > 0.15 * 48 * 48


def test_an_erased_rectangle_lies_anywhere() -> None:
    erased = augmented(np.full((400, 48, 48, 1), 255.0), erasing=0.999)[..., 0] < 255
    assert erased.any(axis=(0, 1)).all()  # each column, up to the edges, and each row
    assert erased.any(axis=(0, 2)).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), reach=st.floats(0, 0.9))
def test_values_stay_grey_values(seed: int, reach: float) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (4, 48, 48, 1)).astype(np.uint8)
    ranges = dict.fromkeys(("shift", "zoom", "brightness", "contrast", "gamma", "erasing"), reach)
    result = augmented(noise, seed=seed, flip=True, rotation=180.0, **ranges)
    assert result.min() >= 0
    assert result.max() <= 255


def test_each_image_draws_its_own_values(images: np.ndarray) -> None:
    same = np.repeat(images[:1], 8, axis=0)
    result = augmented(same, **ALL)
    assert len(np.unique(result.reshape(8, -1), axis=0)) == 8


def test_the_seed_decides(images: np.ndarray) -> None:
    first, again, other = (augmented(images, seed=seed, **ALL) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_saved_layer_comes_back_with_all_its_arguments() -> None:
    config = layer(**ALL).get_config()
    assert Augment.from_config(config).get_config() == config
    assert {name: config[name] for name in ALL} == ALL


def test_it_stays_float32_in_a_model_of_mixed_precision(images: np.ndarray) -> None:
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        augment = Augment(**ALL, seed=1, dtype="float32")  # type: ignore[arg-type]
        model = keras.Sequential([augment, keras.layers.Flatten(), keras.layers.Dense(1)])
        model.compile("sgd", "mse", jit_compile=keras.backend.backend() == "jax")  # as `training.train` does
        assert augment(images.astype(np.float32), training=True).dtype == "float32"
        assert np.isfinite(model.train_on_batch(images, np.zeros((len(images), 1))))
    finally:
        keras.config.set_dtype_policy(kept)


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the test on JAX")
def test_all_of_this_holds_on_jax() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(command, env={**os.environ, "KERAS_BACKEND": "jax"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout

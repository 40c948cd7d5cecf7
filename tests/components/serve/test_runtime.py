"""A light model answers images alone, in any number, from any thread; what is none is told so."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from components.fer.dataset import SIDE
from components.fer.errors import InputError
from components.push_model import exported
from components.serve import runtime
from components.serve.runtime import BATCH, NAME, Runtime


@pytest.fixture
def path(light_model: bytes, tmp_path: Path) -> Path:
    """The file of a light model."""
    (tmp_path / NAME).write_bytes(light_model)
    return tmp_path / NAME


@pytest.fixture(scope="module")
def images() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """One more than are answered at a time; the first pixel of each is its label."""
    noise = np.random.default_rng(1).integers(0, 256, (BATCH + 1, SIDE, SIDE, 1), dtype=np.uint8)
    noise[:, 0, 0, 0] = np.arange(len(noise)) % 7
    return noise


@pytest.mark.parametrize("count", [0, 1, 7, BATCH, BATCH + 1])
def test_any_number_of_images_is_answered_in_order(path: Path, images: runtime.Images, count: int) -> None:
    answers = Runtime(path).probabilities(images[:count])
    assert answers.shape == (count, 7)
    assert answers.dtype == np.float32
    assert answers.argmax(axis=1).tolist() == (np.arange(count) % 7).tolist()
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)


def test_threads_share_a_model(path: Path, images: runtime.Images) -> None:
    model = Runtime(path)
    expected = model.probabilities(images)
    with ThreadPoolExecutor(8) as pool:
        for answers in pool.map(lambda count: model.probabilities(images[:count]), [1, 7, BATCH + 1, 3] * 8):
            np.testing.assert_array_equal(answers, expected[: len(answers)])


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, SIDE, SIDE, 1), np.float32),
        np.zeros((1, SIDE - 1, SIDE, 1), np.uint8),
        np.zeros((SIDE, SIDE, 1), np.uint8),
    ],
    ids=["dtype", "size", "one image alone"],
)
def test_other_shapes_and_dtypes_are_refused(path: Path, wrong: runtime.Images) -> None:
    with pytest.raises(InputError, match=r"^images: expected uint8 \(N, 48, 48, 1\), received "):
        Runtime(path).probabilities(wrong)


def test_what_is_no_light_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / NAME).write_bytes(b"\0" * 1000)
    with pytest.raises(InputError, match=r"^light model .*model\.tflite: expected a LiteRT model, received: "):
        Runtime(tmp_path / NAME)
    assert capfd.readouterr().err == ""


def test_a_light_model_of_something_else(tmp_path: Path) -> None:
    image = keras.Input((32, 32, 3), dtype="uint8")
    other = keras.Model(image, layers.Softmax()(layers.Dense(10)(layers.Flatten()(image))))
    other.export(tmp_path / "saved_model", verbose=False)
    (tmp_path / NAME).write_bytes(exported._converted(tmp_path / "saved_model"))
    with pytest.raises(InputError, match=r"expected uint8 images to float32 answers, received uint8 \(-1, 32, 32, 3\)"):
        Runtime(tmp_path / NAME)

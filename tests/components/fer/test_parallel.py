"""A training that two devices share learns what one device learns.

As a script, `python -m tests.components.fer.test_parallel DEVICES`, it is the training that the tests look at: Keras
takes its backend, and JAX the number of its virtual devices, once in a process.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from components.fer import backend, made_faces, models, training
from components.fer.dataset import Faces, Split
from components.fer.errors import InputError
from tests.components.fer.conftest import small_recipe

Outcome = dict[str, Any]
"""history, weights (each flat) and the number of devices that hold a weight"""


def extractor() -> keras.Model:
    """One convolution under MobileNetV2's name, which JAX compiles quickly."""
    pixels = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(8, 3, strides=4, use_bias=False)(keras.layers.Rescaling(1 / 255)(pixels))
    network = keras.Model(pixels, keras.layers.ReLU()(keras.layers.BatchNormalization()(x)), name="mobilenet_v2")
    return keras.Model(pixels, network(pixels), name="extractor_mobilenet_v2")


def split(faces: Faces, rows: slice) -> Split:
    """Some of the faces; which were drawn for what does not matter here."""
    return Split(faces.images[rows, :, :, None], faces.label[rows], np.arange(*rows.indices(100), dtype=np.int32))


def train(devices: int) -> Outcome:
    """Train with all that draws at random (Dropout, augmentation, mixup), by a teacher, on odd numbers of images."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = small_recipe(
            backend="jax", devices=devices, gamma=0.1, erasing=0.3, mixup=0.2, ema=0.9, teachers=f"{folder}/teacher"
        )
        backend.select("jax", recipe.seed, devices)
        models.save(models.single(recipe, extractor()), Path(recipe.teachers))
        faces = made_faces.made_faces(100, seed=1)
        data = {"training": split(faces, slice(0, 65)), "public": split(faces, slice(65, 94))}
        model, history = training.train(lambda: models.single(recipe, extractor()), data, recipe)
    return {
        "history": history,
        "weights": [weight.ravel().tolist() for weight in model.get_weights()],
        "holders": len(model.weights[0].value.sharding.device_set),
    }


def process(devices: int) -> subprocess.CompletedProcess[str]:
    """Train in a process that has two devices."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    command = [sys.executable, "-m", __name__, str(devices)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def trained() -> dict[int, Outcome]:
    """What one device and what two devices learn."""
    outcomes = {}
    for devices in (1, 2):
        done = process(devices)
        assert done.returncode == 0, done.stderr
        outcomes[devices] = json.loads(done.stdout.splitlines()[-1])
    return outcomes


@pytest.mark.slow
def test_two_devices_share_a_training(trained: dict[int, Outcome]) -> None:
    assert [trained[devices]["holders"] for devices in (1, 2)] == [1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("curve", ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"])
def test_the_curve_is_that_of_one_device(trained: dict[int, Outcome], curve: str) -> None:
    """Random numbers and batch normalisation are of the whole batch, whoever computes them.

    What differs is the order of sums over the batch: 1e-7 of a float32 each, which eight steps make larger.
    """
    one, two = ([row[curve] for row in trained[devices]["history"]] for devices in (1, 2))
    assert len(one) == 2
    assert one == pytest.approx(two, rel=1e-5)


@pytest.mark.slow
def test_the_weights_are_those_of_one_device(trained: dict[int, Outcome]) -> None:
    one, two = (np.concatenate(trained[devices]["weights"]) for devices in (1, 2))
    assert np.abs(one - two).max() < 1e-4


@pytest.mark.slow
def test_devices_that_there_are_not() -> None:
    assert "devices: expected 3 of them, found 2 (cpu:0, cpu:1)." in process(3).stderr


def test_tensorflow_cannot_share_a_training() -> None:
    with pytest.raises(InputError, match="expected 1 on the backend tensorflow, received 2") as error:
        backend.select("tensorflow", devices=2)
    assert "Set backend: jax" in str(error.value)


if __name__ == "__main__":
    print(json.dumps(train(int(sys.argv[1]))))  # noqa: T201

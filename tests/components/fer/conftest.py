"""Small data and recipes for the tests of models and training."""

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest

from components.fer import models
from components.fer.dataset import Faces, Prepared, Split
from components.fer.families import FAMILIES
from components.fer.recipe import Recipe

SMALL = {
    "image_size": 32,
    "head": "plain",
    "dense_1": 16,
    "dense_2": 8,
    "dropout": 0.2,
    "epochs": 2,
    "stages": "",
    "batch_size": 16,
    "optimizer": "adamw",
    "learning_rate": 0.003,
    "weight_decay": 0.01,
    "layer_decay": 1.0,
    "schedule": "cosine",
    "schedule_factor": 0.5,
    "schedule_epochs": 1,
    "warmup_epochs": 0.5,
    "label_smoothing": 0.1,
    "soft_labels": "",
    "teachers": "",
    "temperature": 2.0,
    "ema": 0.0,
    "batch_norm_momentum": 0.9,
    "flip": True,
    "rotation": 10.0,
    "shift": 0.1,
    "zoom": 0.1,
    "brightness": 0.1,
    "contrast": 0.1,
    "gamma": 0.0,
    "erasing": 0.0,
    "mixup": 0.0,
    "seed": 1,
    "backend": "tensorflow",
    "precision": "float32",
    "devices": 1,
    "steps_per_dispatch": 1,
    "checkpoints": "",
}


def small_recipe(**changes: Any) -> Recipe:
    """A recipe that trains in seconds."""
    return Recipe.model_validate({**SMALL, **changes})


@pytest.fixture
def tiny_extractor(monkeypatch: pytest.MonkeyPatch) -> keras.Model:
    """An extractor of one convolution under MobileNetV2's name: what is tested does not depend on its size."""

    def build(include_top: bool, input_shape: tuple[int, int, int], weights: str | None, name: str) -> keras.Model:
        assert not include_top
        assert weights is None
        pixels = keras.Input(input_shape)
        x = keras.layers.Conv2D(8, 3, strides=4, use_bias=False)(pixels)
        return keras.Model(pixels, keras.layers.ReLU()(keras.layers.BatchNormalization()(x)), name=name)

    tiny = dataclasses.replace(FAMILIES["mobilenet_v2"], build=build)
    monkeypatch.setitem(FAMILIES, "mobilenet_v2", tiny)
    return models.extractor("mobilenet_v2", 32, "none", batch_norm_momentum=0.5)


@pytest.fixture(scope="session")
def few(made: Faces) -> Prepared:
    """70 training and 28 validation images."""

    def split(rows: slice) -> Split:
        row = np.arange(*rows.indices(len(made.label)), dtype=np.int32)
        return Split(made.images[rows, :, :, None], made.label[rows], row)

    return {"training": split(slice(0, 70)), "public": split(slice(560, 588))}

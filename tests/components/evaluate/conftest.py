"""A small evaluation: made answers for what needs no model, a tiny model and its data set for what does."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.evaluate.config import Config
from components.evaluate.history import History
from components.evaluate.measure import Sample, Settings
from components.fer import prepared
from components.fer.dataset import SPLITS, Faces, Masks, Prepared, Split

HISTORY: History = {
    "epoch": [1, 2, 3],
    "loss": [1.9, 1.5, 1.2],
    "accuracy": [0.2, 0.4, 0.6],
    "val_loss": [1.8, 1.5, 1.6],
    "val_accuracy": [0.3, 0.5, 0.45],
}

KERAS = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
"""Keras 3.15 reads TensorFlow's variables in a way that NumPy 2 deprecates."""

SETTINGS = Settings(temperature=1.5, majority=3, resamples=200, seed=1)


def sample(count: int, seed: int, ferplus: bool = True) -> Sample:
    """Answers to `count` images, about half of them right; the last two are copies, every third has no majority."""
    random = np.random.default_rng(seed)
    label = (np.arange(count) % 7).astype(np.uint8)
    odds = random.random((count, 7)) + 0.5 * np.eye(7)[label]
    probabilities = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    group = np.minimum(np.arange(count, dtype=np.int32), count - 2)
    votes = np.where(np.arange(count) % 3 == 2, -1, label.astype(np.int64))
    return Sample(probabilities, label, group, votes if ferplus else None)


@pytest.fixture(scope="session")
def samples() -> dict[str, Sample]:
    """PublicTest and the forms of PrivateTest, of which clean-near is empty."""
    full = sample(60, seed=2)
    return {
        "public": sample(70, seed=1),
        "full": full,
        "clean_exact": full.only(np.arange(60) < 50),
        "clean_near": full.only(np.zeros(60, bool)),
    }


@pytest.fixture(scope="session")
def data(made: Faces) -> Prepared:
    """The drawn faces as preprocess hands them on."""
    rows = [np.flatnonzero(made.usage == usage).astype(np.int32) for usage in range(len(SPLITS))]
    return {
        name: Split(made.images[row, ..., None], made.label[row], row) for name, row in zip(SPLITS, rows, strict=True)
    }


@pytest.fixture(scope="session")
def masks(made: Faces) -> Masks:
    """An audit that found nothing but the fifth PrivateTest image to be a copy."""
    count = len(made.label)
    clean = np.ones(count, bool)
    clean[np.flatnonzero(made.usage == 2)[4]] = False
    no = np.zeros(count, bool)
    return Masks(clean, clean, no, no, np.arange(count, dtype=np.int32), np.zeros(count, np.float32))


@pytest.fixture(scope="session")
def model_keras(data: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of the model contract, trained for a moment on the drawn faces."""
    import keras

    from components.fer import models, training
    from components.fer.recipe import Recipe

    recipe = Recipe.model_validate(
        {"image_size": 48, "dense_1": 32, "dense_2": 16, "dropout": 0, "epochs": 3, "batch_size": 32}
        | {"optimizer": "adam", "learning_rate": 0.003, "weight_decay": 0, "schedule": "constant", "warmup_epochs": 0}
        | {"label_smoothing": 0, "batch_norm_momentum": 0.9, "flip": False, "seed": 1, "backend": "tensorflow"}
        | dict.fromkeys(("rotation", "shift", "zoom", "brightness", "contrast"), 0)
        | {"precision": "float32", "checkpoints": ""}
    )
    keras.utils.set_random_seed(1)
    pixels = keras.Input((48, 48, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(pixels)
    for filters in (8, 16):
        x = keras.layers.MaxPooling2D(3)(keras.layers.Conv2D(filters, 3, activation="relu")(x))
    branch = keras.Model(pixels, keras.layers.Flatten()(x), name="extractor_tiny")
    model = models.single(recipe, branch)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", KERAS.split(":")[1], DeprecationWarning)
        training.train(model, data, recipe)
    path = tmp_path_factory.mktemp("model") / "model"  # without a suffix, as Kubeflow names it
    models.save(model, path)
    return path


@pytest.fixture
def values(data: Prepared, masks: Masks, tmp_path: Path) -> dict[str, Any]:
    """The stage's configuration over complete inputs, but for the model."""
    prepared.write_pickle(data, tmp_path / "data")
    masks.save(tmp_path / "masks")
    (tmp_path / "audit").write_text(json.dumps({"classes": {"training": {"happy": 80}}, "constant": {"images": 1}}))
    write_history(tmp_path / "history", HISTORY)
    outputs = ("metrics_json", "predictions_npz", "confusion_csv", "calibration_csv", "figures", "report_html")
    return {
        "data": tmp_path / "data",
        "masks_npz": tmp_path / "masks",
        "audit_json": tmp_path / "audit",
        "model_keras": tmp_path / "no_model",
        **dict.fromkeys(("history_csv", "first_history_csv", "second_history_csv"), tmp_path / "history"),
        "resamples": 200,
        "seed": 1,
        "ferplus": "",
        **{name: tmp_path / "out" / name for name in outputs},
    }


def configured(values: dict[str, Any], **changed: Any) -> Config:
    return Config.model_validate(values | changed)


def write_history(path: Path, history: History) -> None:
    rows = [",".join(history), *(",".join(map(str, row)) for row in zip(*history.values(), strict=True))]
    path.write_text("\n".join(rows) + "\n")

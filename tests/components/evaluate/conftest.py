"""A small evaluation: made answers for what needs no model, a tiny model and its data set for what does."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluate import pictures
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


MAPS = np.random.default_rng(3).normal(size=(24, 24, 5)).astype(np.float32)


def drawn_inside(public: Sample, maps: NDArray[np.float32] | None = MAPS) -> dict[str, pictures.Picture]:
    """Features, feature maps and mistakes on made images."""
    random = np.random.default_rng(4)
    images = random.integers(0, 256, (len(public), 48, 48, 1), np.uint8)
    shown = np.arange(len(public))
    return pictures.draw_inside(public, images, shown, random.random((len(public), 2), np.float32), maps)


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


def tiny_model() -> Any:
    """A network of the model contract in a moment's size: an extractor with two convolutions, and a classifier."""
    import keras

    keras.utils.set_random_seed(1)
    pixels = keras.Input((48, 48, 1))
    x = keras.layers.Rescaling(1 / 127.5, -1)(pixels)
    for filters in (8, 16):
        x = keras.layers.MaxPooling2D(3)(keras.layers.Conv2D(filters, 3, activation="relu")(x))
    extractor = keras.Model(pixels, keras.layers.Flatten()(x), name="extractor")
    image = keras.Input((48, 48, 1), dtype="uint8")
    x = keras.layers.Dense(32, activation="relu")(extractor(keras.ops.cast(image, "float32")))
    return keras.Model(image, keras.layers.Dense(7, activation="softmax", name="probabilities")(x))


@pytest.fixture(scope="session")
def model_keras(data: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, trained for a moment on the drawn faces."""
    from components.fer import models

    model = tiny_model()
    model.compile("adam", "sparse_categorical_crossentropy")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", KERAS.split(":")[1], DeprecationWarning)
        model.fit(data["training"].images, data["training"].label, batch_size=16, epochs=3, verbose=0)
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
        "views": "none",
        "pictures": "standard",
        "poses": "",
        **{name: tmp_path / "out" / name for name in outputs},
    }


def configured(values: dict[str, Any], **changed: Any) -> Config:
    return Config.model_validate(values | changed)


def write_history(path: Path, history: History) -> None:
    rows = [",".join(history), *(",".join(map(str, row)) for row in zip(*history.values(), strict=True))]
    path.write_text("\n".join(rows) + "\n")

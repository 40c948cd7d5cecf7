"""Made candidates: models that know some expressions, and everything that comes with them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.fer import prepared
from components.fer.dataset import EXPRESSIONS, SIDE, USAGES, Predictions, Prepared, Split
from components.push_model.config import Config

NAME = "fer-hybrid"
MD5 = "f8428a1edbd21e88f42c73edd2a14f95"
HAPPY = EXPRESSIONS.index("happy")


@pytest.fixture(scope="session")
def data() -> Prepared:
    """140 noisy images a split whose first pixel is the label; every fourth is happy, the rest even."""
    generator = np.random.default_rng(1)
    splits = {}
    for index, name in enumerate(("training", "public", "private")):
        images = generator.integers(0, 256, (140, SIDE, SIDE, 1), dtype=np.uint8)
        label = np.where(np.arange(140) % 4 == 0, HAPPY, np.arange(140) % 7).astype(np.uint8)
        images[:, 0, 0, 0] = label
        splits[name] = Split(images, label, np.arange(140, dtype=np.int32) + 140 * index)
    return splits


@cache
def model_that_knows(expressions: int, wide: int = 7) -> Any:
    """A model that reads the first pixel and names the first so many expressions right, any other one happy.

    It answers `wide` of them.
    """
    import keras
    from keras import layers

    image = keras.Input((SIDE, SIDE, 1), dtype="uint8")
    pixel = layers.Flatten()(layers.Cropping2D(((0, SIDE - 1), (0, SIDE - 1)))(image))
    named = layers.Embedding(256, wide, name="named")
    model = keras.Model(image, layers.Softmax()(layers.Flatten()(named(pixel))))
    answer = np.where(np.arange(256) < expressions, np.arange(256), HAPPY)
    named.set_weights([8 * np.eye(wide, dtype=np.float32)[answer]])
    return model


@dataclass(frozen=True)
class Workspace:
    """A folder with prepared data, and a way to put a candidate into it."""

    folder: Path
    data: Prepared

    def config(self, **changes: Any) -> Config:
        """The stage's configuration in this folder."""
        folder = self.folder
        values = {
            "data": folder / "faces.pickle",
            "model_keras": folder / "model.keras",
            "metrics_json": folder / "metrics.json",
            "predictions_npz": folder / "predictions.npz",
            "audit_json": folder / "audit.json",
            "store": str(folder / "models"),
            "name": NAME,
            "registry": f"sqlite:///{folder}/mlflow.db",
            "rule": "superiority",
            "alpha": 0.05,
            "minimum_effect": 0.5,
            "margin": 1.0,
            "floor_over_majority": 10.0,
            "class_floor": 0.0,
            "calibration_limit": 0.1,
            "provenance": "",
            "version_json": folder / "version.json",
            "verdict_json": folder / "verdict.json",
            "blessing": folder / "blessing",
        }
        return Config(**(values | changes))

    def put_candidate(self, expressions: int, wide: int = 7) -> None:
        """Write model, predictions and metrics of a model that knows so many expressions of `wide`."""
        from components.fer import models

        model = model_that_knows(expressions, wide)
        models.save(model, self.folder / "model.keras")
        public, private = self.data["public"], self.data["private"]
        images = np.concatenate([public.images, private.images])
        predictions = Predictions(
            row=np.concatenate([public.row, private.row]),
            label=np.concatenate([public.label, private.label]),
            usage=np.repeat(np.array([USAGES.index("PublicTest"), USAGES.index("PrivateTest")], np.uint8), 140),
            probabilities=model.predict(images, verbose=0),
        )
        predictions.save(self.folder / "predictions.npz")
        accuracy = float(np.mean(predictions.probabilities[:140].argmax(axis=1) == public.label))
        metrics = {"public": {"accuracy": round(accuracy, 6), "confusion": [[1, 2], [3, 4]]}, "temperature": 1.1}
        (self.folder / "metrics.json").write_text(json.dumps(metrics))


@pytest.fixture(scope="session")
def workspace(data: Prepared) -> Callable[[Path], Workspace]:
    """Make a workspace in a folder."""

    def make(folder: Path) -> Workspace:
        prepared.write_pickle(data, folder / "faces.pickle")
        (folder / "audit.json").write_text(json.dumps({"source": {"md5": MD5}}))
        return Workspace(folder, data)

    return make


@pytest.fixture
def here(workspace: Callable[[Path], Workspace], tmp_path: Path, empty_database: Path) -> Workspace:
    """A workspace of a test's own, with a registry in which nothing is."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return workspace(tmp_path)

"""A run's artifacts up to push-model, by the stages themselves, for a small model on drawn faces with made votes."""

import contextlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from components.evaluate import run as evaluate
from components.evaluate.config import Config as EvaluateConfig
from components.fer import backend, prepared, stage
from components.fer.dataset import SPLITS, USAGES, Faces, Split
from components.fer.ferplus import NAMES, VOTES
from components.push_model import run as push_model
from components.push_model.config import Config as PushConfig
from components.validate import audit
from tests.components.evaluate.conftest import HISTORY, KERAS, tiny_model, write_history

NAME = "fer-made"


def artifacts(folder: Path, faces: Faces) -> dict[str, Any]:
    """Write the artifacts into `folder`, and give tfx-check's values there, paths relative to it."""
    rows = [np.flatnonzero(faces.usage == usage).astype(np.int32) for usage in range(len(SPLITS))]
    data = {
        name: Split(faces.images[row, ..., None], faces.label[row], row) for name, row in zip(SPLITS, rows, strict=True)
    }
    with contextlib.chdir(folder):
        prepared.write_pickle(data, Path("prepared.pickle"))
        prepared.write_tfrecord(data, Path("prepared.tfrecord"), 2)
        audit.masks(faces, 0.95).save(Path("masks.npz"))
        Path("audit.json").write_text(json.dumps({"source": {"md5": "0" * 32}}))
        write_history(Path("history.csv"), HISTORY | {"val_accuracy": [0.1, 0.15, 0.2]})
        write_votes(Path("votes.csv"), faces)
        train(data, Path("model.keras"))
        evaluate.run(stage.parse(EvaluateConfig, argv({**TAKEN, **EVALUATE})))
    push(folder)
    return VALUES


def push(folder: Path, **changes: Any) -> None:
    """Push the model again, with other values."""
    with contextlib.chdir(folder):
        push_model.run(stage.parse(PushConfig, argv({**TAKEN, **PUSH, **changes})))


TAKEN = {
    "data": "prepared.pickle",
    "model_keras": "model.keras",
    "audit_json": "audit.json",
    "metrics_json": "metrics.json",
    "predictions_npz": "predictions.npz",
}

VALUES = {
    "tfrecord": "prepared.tfrecord",
    "masks_npz": "masks.npz",
    "metrics_json": "metrics.json",
    "predictions_npz": "predictions.npz",
    "version_json": "version.json",
    "blessing": "blessing",
    "store": "models",
    "name": NAME,
    "ferplus": "votes.csv",
    "floor_over_majority": 0.0,
    "class_floor": 0.0,
    "tolerance": 0.002,
    "report_json": "out/report.json",
    "tfx": "out/tfx",
}

EVALUATE = {
    "masks_npz": "masks.npz",
    "history_csv": "history.csv",
    "resamples": 100,
    "seed": 1,
    "ferplus": "votes.csv",
    "views": "none",
    "pictures": "standard",
    "poses": "",
    "confusion_csv": "confusion.csv",
    "calibration_csv": "calibration.csv",
    "figures": "figures",
    "report_html": "report.html",
}

PUSH = {
    "store": "models",
    "name": NAME,
    "registry": "sqlite:///mlflow.db",
    "rule": "superiority",
    "alpha": 0.9,
    "minimum_effect": 0.0,
    "margin": 1.0,
    "floor_over_majority": 0.0,
    "class_floor": 0.0,
    "calibration_limit": 1.0,
    "provenance": "",
    "version_json": "version.json",
    "verdict_json": "verdict.json",
    "blessing": "blessing",
}


def argv(values: Mapping[str, Any]) -> list[str]:
    """Options of a stage."""
    return [word for name, value in values.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def train(data: dict[str, Split], path: Path) -> None:
    backend.select("tensorflow", seed=1)
    from components.fer import models

    model = tiny_model()
    model.compile("adam", "sparse_categorical_crossentropy")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", KERAS.split(":")[1], DeprecationWarning)
        model.fit(data["training"].images, data["training"].label, batch_size=16, epochs=3, verbose=0)
    models.save(model, path)


def write_votes(path: Path, faces: Faces) -> None:
    """Votes by row: ten, seven or five of ten for the label, the rest for contempt."""
    lines = [f"Usage,Image name,{','.join(VOTES)}"]
    for row, (label, usage) in enumerate(zip(faces.label, faces.usage, strict=True)):
        agreed = (10, 7, 5)[row % 3]
        counts = {NAMES[label]: agreed, "contempt": 10 - agreed}
        lines.append(f"{USAGES[usage]},fer{row}.png,{','.join(str(counts.get(name, 0)) for name in VOTES)}")
    path.write_text("\n".join(lines) + "\n")

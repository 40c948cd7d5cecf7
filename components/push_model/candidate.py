"""What is pushed: the inputs of the stage, read and held to each other before anything is stored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import USAGES, Predictions, Split
from components.fer.errors import InputError
from components.model_store import manifest
from components.model_store.versions import candidate_sha256

PUBLIC = USAGES.index("PublicTest")

AGREEMENT = 0.95
"""Least share of PublicTest images on which stored predictions and model name the same expression: another machine's
arithmetic tips single images, another model tips hundreds."""

MEND = "Write it again: dvc repro evaluate"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A trained and evaluated model."""

    metrics: dict[str, Any]
    """the tree of metrics.json"""
    predictions: Predictions
    data_md5: str
    """of the source data set"""
    model_sha256: str
    """of the model's file"""
    sha256: str
    """of model, metrics, predictions and data md5: what makes two pushes the same push"""


def read(model: Path, metrics: Path, predictions: Path, audit: Path) -> Candidate:
    """Read the inputs. Raises `InputError` where one is absent or is not what its stage writes."""
    if not model.is_file():
        raise InputError(f"model {model}: no such file.", "Train it: dvc repro")
    tree = _json(metrics, "metrics")
    source = _json(audit, "audit").get("source")
    md5 = source.get("md5") if isinstance(source, dict) else None
    if not isinstance(md5, str) or not md5:
        raise InputError(f"audit {audit}: expected the data's md5, found none.", "Write it again: dvc repro validate")
    stored = Predictions.load(predictions)
    check_metrics(tree, stored, metrics, predictions)
    digests = [manifest.sha256(path) for path in (model, metrics, predictions)]
    return Candidate(tree, stored, md5, digests[0], candidate_sha256(digests, md5))


def check_metrics(tree: Mapping[str, Any], predictions: Predictions, metrics: Path, path: Path) -> None:
    """Raise `InputError` where the metrics' accuracy on PublicTest is not that of the predictions at `path`."""
    public = tree.get("public")
    claimed = public.get("accuracy") if isinstance(public, dict) else None
    if not isinstance(claimed, int | float):
        raise InputError(f"metrics {metrics}: expected a number public.accuracy, received {claimed!r}.", MEND)
    mine = predictions.usage == PUBLIC
    if not mine.any():
        raise InputError(f"predictions {path}: expected PublicTest images, found none.", MEND)
    actual = float(np.mean(correct(predictions)[mine]))
    if abs(claimed - actual) > 1e-4:  # metrics are rounded
        raise InputError(
            f"metrics {metrics}: public.accuracy is {claimed:.4f}, but predictions {path} give {actual:.4f}.", MEND
        )


def check_data(predictions: Predictions, public: Split, path: Path, data: Path) -> None:
    """Raise `InputError` where the predictions at `path` are not for the PublicTest images of `data`."""
    mine = predictions.usage == PUBLIC
    if not np.array_equal(predictions.row[mine], public.row):
        difference = f"{int(mine.sum()):,} rows against {len(public):,}"
        if mine.sum() == len(public):
            difference = f"{int(np.sum(predictions.row[mine] != public.row)):,} rows differ"
    elif not np.array_equal(predictions.label[mine], public.label):
        difference = f"{int(np.sum(predictions.label[mine] != public.label)):,} labels differ"
    else:
        return
    raise InputError(f"predictions {path}: not for PublicTest of {data}: {difference}.", MEND)


def check_model(predictions: Predictions, scored: Predictions, path: Path, model: Path) -> None:
    """Raise `InputError` where the predictions at `path` are not those that the model makes of PublicTest, `scored`."""
    stored = predictions.probabilities[predictions.usage == PUBLIC]
    agreement = float(np.mean(stored.argmax(axis=1) == scored.probabilities.argmax(axis=1)))
    if agreement < AGREEMENT:
        raise InputError(
            f"predictions {path}: not those of model {model}: both name the same expression for "
            f"{100 * agreement:.1f} % of PublicTest, expected at least {100 * AGREEMENT:.0f} %.",
            MEND,
        )


def correct(predictions: Predictions) -> NDArray[np.bool_]:
    """Tell for each image (N,) whether its most probable expression is its label."""
    return np.asarray(predictions.probabilities.argmax(axis=1) == predictions.label)


def copies(images: NDArray[np.uint8]) -> NDArray[np.integer[Any]]:
    """Number images (N, 48, 48, 1) so that exactly those with the same pixels have the same number: (N,)."""
    return np.unique(images.reshape(len(images), -1), axis=0, return_inverse=True)[1]


def _json(path: Path, what: str) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{what} {path}: no such file.", "Write it: dvc repro") from error
    except ValueError as error:
        raise InputError(f"{what} {path}: expected JSON, received: {error}.", "Write it again: dvc repro") from error
    if not isinstance(tree, dict):
        raise InputError(f"{what} {path}: expected a JSON object, received {type(tree).__name__}.")
    return tree

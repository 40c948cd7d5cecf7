"""What a version serves, made of its model: a SavedModel for servers, and a light model for LiteRT."""

import contextlib
import io
import logging
import tempfile
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from components.fer.dataset import SIDE

SHAPE = (None, SIDE, SIDE, 1)


def saved_model(model: keras.Model, folder: Path) -> None:
    """Write a SavedModel whose signature `serve` takes `image`, uint8 (N, 48, 48, 1), and returns float32 (N, E).

    It refuses other shapes itself: a server does not hold what it is sent to the signature's shape, and a network that
    pools over all places would answer an image of any size.
    """
    logging.getLogger("tensorflow").setLevel(logging.WARNING)  # it would name the folder, which is a temporary one
    archive = keras.export.ExportArchive()
    archive.track(model)
    signature = [tf.TensorSpec(SHAPE, tf.uint8, name="image")]
    archive.add_endpoint("serve", lambda image: model(tf.ensure_shape(image, SHAPE), training=False), signature)
    archive.write_out(folder, verbose=False)


def light(model: keras.Model, saved: Path, path: Path) -> None:
    """Write the light model to `path`; `saved` is the folder with the SavedModel of `model`.

    It computes in float32, also where the model was trained in another precision: LiteRT's kernels do no other on a
    CPU, and float32 differs from what was evaluated only by what that precision has rounded.
    """
    if precision(model) == "float32":
        path.write_bytes(_converted(saved))
        return
    with tempfile.TemporaryDirectory() as folder:
        saved_model(in_float32(model), Path(folder))
        path.write_bytes(_converted(Path(folder)))


def precision(model: keras.Model) -> str:
    """The precision that a model's layers compute in: float32, or the other one that any of them has."""
    waiting = list(model.layers)
    while waiting:
        layer = waiting.pop()
        inside = getattr(layer, "layers", [])
        waiting += inside
        if layer.weights and not inside and layer.compute_dtype != "float32":
            return str(layer.compute_dtype)
    return "float32"


def in_float32(model: keras.Model) -> keras.Model:
    """The same network with the same weights, all of it in float32."""
    same = keras.saving.deserialize_keras_object(_without_policies(keras.saving.serialize_keras_object(model)))
    with tempfile.TemporaryDirectory() as folder:
        # By a file, not by set_weights: some layers work with a copy of their weights, made when they are loaded.
        weights = Path(folder) / "model.weights.h5"
        model.save_weights(weights)
        same.load_weights(weights)
    return same


def _without_policies(described: Any) -> Any:
    """A network's description with float32 wherever it names a precision of layers."""
    if isinstance(described, list):
        return [_without_policies(part) for part in described]
    if not isinstance(described, dict):
        return described
    if described.get("class_name") == "DTypePolicy":
        return {**described, "config": {"name": "float32"}}
    return {key: _without_policies(part) for key, part in described.items()}


def _converted(saved: Path) -> bytes:
    with contextlib.redirect_stdout(io.StringIO()):  # the converter prints the signature
        content: bytes = tf.lite.TFLiteConverter.from_saved_model(str(saved)).convert()
    return content

"""The stored SavedModel as TFX's components want it: in their layout, and with a signature that takes Examples."""

import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.fer.dataset import SIDE
from components.tfx_check.examples import PREDICTION

SERVING = "Format-Serving"
"""Folder of the SavedModel in a TFX Model artifact."""


def lay_out(saved_model: Path, folder: Path) -> None:
    """Copy the stored SavedModel, unchanged, to where Pusher looks for it."""
    shutil.copytree(saved_model, folder / SERVING)


class OverExamples(tf.Module):
    """The stored model behind the signature that TFMA calls: serialized Examples in, probabilities out."""

    def __init__(self, saved_model: Path) -> None:
        super().__init__()
        self.model = tf.saved_model.load(str(saved_model))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])  # type: ignore[untyped-decorator]
    def serve(self, examples: Any) -> dict[str, Any]:
        """Decode the images of serialized Examples (N,) and answer them: float32 (N, E)."""
        pixels = tf.io.parse_example(examples, {"image": tf.io.FixedLenFeature([], tf.string)})["image"]
        images = tf.reshape(tf.io.decode_raw(pixels, tf.uint8), (-1, SIDE, SIDE, 1))
        return {PREDICTION: self.model.serve(images)}


def wrap(saved_model: Path, folder: Path) -> None:
    """Write the model for Evaluator, beside which the stored one stays as it is."""
    model = OverExamples(saved_model)
    tf.saved_model.save(model, str(folder / SERVING), signatures={"serving_default": model.serve})

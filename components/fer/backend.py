"""The one place that chooses Keras' backend, before Keras is imported."""

import os
import sys
from typing import Literal

from components.fer.errors import InputError

Backend = Literal["tensorflow", "jax"]


def select(name: Backend, seed: int | None = None) -> None:
    """Make Keras compute with `name` in this process and, given a seed, in a repeatable way.

    Raises `InputError` where Keras already runs on another backend: it cannot be changed any more.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = name
    # The messages of TensorFlow's start-up (missing GPU, oneDNN) tell a user nothing that ferflow doctor does not.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras

    if keras.backend.backend() != name:
        raise InputError(
            f"backend: expected {name}, but Keras already runs on {keras.backend.backend()} in this process.",
            "Start the stage as a process of its own.",
        )
    if seed is not None:
        keras.utils.set_random_seed(seed)
        if name == "tensorflow":
            import tensorflow as tf

            tf.config.experimental.enable_op_determinism()

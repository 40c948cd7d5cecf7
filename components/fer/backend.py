"""The one place that chooses Keras' backend, before Keras is imported, and that keeps TensorFlow quiet."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from components.fer.errors import InputError

Backend = Literal["tensorflow", "jax"]


def select(name: Backend, seed: int | None = None) -> None:
    """Make Keras compute with `name` in this process and, given a seed, in a repeatable way.

    Raises `InputError` where Keras already runs on another backend: it cannot be changed any more.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = name
    with quiet_import():
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


@contextmanager
def quiet_import() -> Iterator[None]:
    """Hide what TensorFlow's libraries write while they load, and their log from then on.

    A missing GPU or oneDNN's rounding tell a user nothing that ferflow doctor does not, and errors come as exceptions.
    The libraries write before any setting of theirs is read, hence the file descriptor.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)

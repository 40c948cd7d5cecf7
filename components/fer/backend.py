"""The one place that chooses Keras' backend, before Keras is imported, and that keeps TensorFlow quiet."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from components.fer.errors import InputError

Backend = Literal["tensorflow", "jax"]


def select(name: Backend, seed: int | None = None, devices: int = 1) -> None:
    """Make Keras compute with `name` in this process and, given a seed, in a repeatable way.

    With more than one of `devices`, each holds all weights and takes its share of each batch; that must be settled
    before a variable is made. Raises `InputError` where Keras already runs on another backend, for it cannot be changed
    any more, and where there are no such devices.
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
    if devices > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=_first(devices, name)))
    if seed is not None:
        keras.utils.set_random_seed(seed)
        if name == "tensorflow":
            import tensorflow as tf

            tf.config.experimental.enable_op_determinism()


def _first(devices: int, name: Backend) -> list[str]:
    """Names of the first devices of the machine."""
    import keras

    # Keras 3.15 takes a distribution for TensorFlow without a word, and trains on one device.
    if name != "jax":
        raise InputError(
            f"devices: expected 1 on the backend {name}, received {devices}.",
            "Set backend: jax, which can share a batch.",
        )
    found: list[str] = keras.distribution.list_devices()
    if len(found) < devices:
        raise InputError(
            f"devices: expected {devices} of them, found {len(found)} ({', '.join(found)}).", "Set devices."
        )
    return found[:devices]


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

"""Answers of a stored version without TensorFlow: its light model, run by LiteRT.

LiteRT (https://ai.google.dev/edge/litert) is loaded in a hundredth of the time that TensorFlow takes. Its converter
comes with TensorFlow (components/push_model/exported.py), and takes every architecture of this repository.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EIGHT, EXPRESSIONS, SIDE
from components.fer.errors import InputError

NAME = "model.tflite"
"""of the light model in a version's folder"""

BATCH = 64
"""Images at a time: more are no faster, and the memory that they take is kept."""

Images = NDArray[np.uint8]

MEND = "Push the model again, to another store: a version never changes."


class Runtime:
    """A light model that answers. Threads may share it: they take turns, for one answer uses all cores."""

    def __init__(self, model: Path) -> None:
        """Load the file `model`. Raises `InputError` where it is no light model."""
        from ai_edge_litert.interpreter import Interpreter  # here, so that a photo without a face does not wait for it

        self._lock = threading.Lock()
        try:
            with _unheard():
                self._interpreter: Any = Interpreter(str(model), num_threads=len(os.sched_getaffinity(0)))
                self._interpreter.allocate_tensors()
            (self._input,), (self._output,) = (
                self._interpreter.get_input_details(),
                self._interpreter.get_output_details(),
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(f"light model {model}: expected a LiteRT model, received: {error}.", MEND) from error
        ends = [(end["dtype"], tuple(end["shape_signature"].tolist())) for end in (self._input, self._output)]
        widths = (len(EXPRESSIONS), len(EIGHT))
        if ends not in [[(np.uint8, (-1, SIDE, SIDE, 1)), (np.float32, (-1, width))] for width in widths]:
            received = ", ".join(f"{np.dtype(dtype)} {shape}" for dtype, shape in ends)
            raise InputError(
                f"light model {model}: expected uint8 images to float32 answers, received {received}.", MEND
            )
        self.expressions: int = ends[1][1][1]
        """how many it answers, 7 or 8"""

    def probabilities(self, images: Images) -> NDArray[np.float32]:
        """Answer images, uint8 (N, 48, 48, 1): float32 (N, E). Raises `InputError` for another shape or dtype."""
        if images.dtype != np.uint8 or images.shape[1:] != (SIDE, SIDE, 1):
            received = f"{images.dtype} {images.shape}"
            raise InputError(f"images: expected uint8 (N, {SIDE}, {SIDE}, 1), received {received}.")
        answers = np.empty((len(images), self.expressions), np.float32)
        with self._lock:
            for start in range(0, len(images), BATCH):
                answers[start : start + BATCH] = self._answer(images[start : start + BATCH])
        return answers

    def _answer(self, images: Images) -> NDArray[np.float32]:
        self._interpreter.resize_tensor_input(self._input["index"], images.shape)
        self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._input["index"], images)
        self._interpreter.invoke()
        answer: NDArray[np.float32] = self._interpreter.get_tensor(self._output["index"])
        return answer


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep the library's greeting off stderr: it is written by C++, and no setting keeps it back."""
    heard, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(heard, 2)
        os.close(heard)
        os.close(nowhere)

"""A process that loads what a version serves, alone, and answers: python -m ... KIND PLACE IMAGES ANSWERS.

KIND is `saved_model`, whose PLACE is a folder that plain TensorFlow loads as TensorFlow Serving does, by its signature;
or `light`, whose PLACE is a file that LiteRT runs where no TensorFlow is imported. A model that crashes ends this
process and no other. IMAGES is an .npy of uint8 (N, 48, 48, 1), ANSWERS the .npz to write: answers to all of them at
once, to the first `ODD`, to the first alone, to the first alone after everything else, and which `WRONG` were taken.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import SIDE

Answer = Callable[[NDArray[Any]], NDArray[np.float32]]

ODD = 7
"""Images of a batch of an odd number."""

WRONG: dict[str, NDArray[Any]] = {
    f"an image of {SIDE - 1} x {SIDE} pixels": np.zeros((1, SIDE - 1, SIDE, 1), np.uint8),
    f"an image of {SIDE} x {SIDE - 1} pixels": np.zeros((1, SIDE, SIDE - 1, 1), np.uint8),
    "an image of 3 channels": np.zeros((1, SIDE, SIDE, 3), np.uint8),
    "an image alone": np.zeros((SIDE, SIDE, 1), np.uint8),
    "pixels in float32": np.zeros((1, SIDE, SIDE, 1), np.float32),
}
"""What has to be refused: another height, width, number of channels or of axes, another dtype."""


def saved_model(folder: Path) -> Answer:
    """Load a SavedModel; gives its signature `serve`."""
    import tensorflow as tf

    loaded = tf.saved_model.load(folder)

    def answer(images: NDArray[Any]) -> NDArray[np.float32]:
        (found,) = loaded.signatures["serve"](tf.constant(images)).values()
        return np.asarray(found.numpy())

    return answer


def light(path: Path) -> Answer:
    """Load a light model."""
    from components.serve.runtime import Runtime

    return Runtime(path).probabilities


KINDS: dict[str, Callable[[Path], Answer]] = {"saved_model": saved_model, "light": light}


def main(kind: str, place: str, images_npy: str, answers_npz: str) -> None:
    """Load, answer, and write the answers."""
    answer = KINDS[kind](Path(place))
    images = np.load(images_npy)
    whole, odd, one = answer(images), answer(images[:ODD]), answer(images[:1])
    taken = np.array([name for name, wrong in WRONG.items() if not _refuses(answer, wrong)], np.str_)
    np.savez(answers_npz, all=whole, odd=odd, one=one, again=answer(images[:1]), taken=taken)


def _refuses(answer: Answer, wrong: NDArray[Any]) -> bool:
    try:
        answer(wrong)
    except Exception:  # TensorFlow's and our own have no other class in common
        return True
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])

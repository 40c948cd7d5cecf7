"""The server's process for tests: its real sockets and protocols, with an answerer that needs no training.

python -m tests.components.serve.made_server [--delay SECONDS] [--real-photos] [--limits.body-bytes N ...]
"""

import io
import time
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from components.fer import stage
from components.fer.dataset import EXPRESSIONS, SIDE
from components.fer.errors import InputError
from components.serve.errors import NoFace
from components.serve.finder import Finder
from components.serve.limits import Limits
from components.serve.model import Model, Probabilities
from components.serve.serve import remembers
from components.serve.server import bind, run
from components.serve.tensors import Images

FAULTY = 13
"""grey of an image that the model fails on"""

WEIGHTS = np.random.default_rng(7).normal(0, 0.1, (SIDE * SIDE, len(EXPRESSIONS)))

NAME, VERSION, MD5 = "fer-hybrid", "0003-1a2b3c4d", "f8428a1edbd21e88f42c73edd2a14f95"


class Config(stage.StageConfig):
    """Serve a linear model of seeded weights at a free port."""

    delay: float = 0.0
    """seconds that an answer takes"""
    real_photos: bool = False
    """find faces as the server does, in a process of its own"""
    observations: Path | None = None
    """folder to note them in"""
    limits: Limits = Limits()
    """of the server"""


def probabilities(images: Images) -> Probabilities:
    """Softmax of a linear model with seeded weights."""
    scores = np.exp(images.reshape(len(images), -1) / 255 @ WEIGHTS)
    found: Probabilities = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    return found


def find_face(photo: bytes) -> Images:
    """The middle of a picture, which is a face unless it is of one grey."""
    try:
        with Image.open(io.BytesIO(photo)) as picture:
            grey = np.asarray(picture.convert("L").resize((SIDE, SIDE)))[..., np.newaxis]
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
        raise InputError(f"photo: expected a picture: {error}.") from error
    if grey.min() == grey.max():
        raise NoFace("photo: expected a face, found none.")
    return grey


def main(config: Config) -> None:
    def answer(images: Images) -> Probabilities:
        time.sleep(config.delay)
        if (images == FAULTY).all():
            raise RuntimeError("a fault of the model")
        return probabilities(images)

    remember = remembers(config.observations, VERSION)
    with bind("127.0.0.1", 0) as taken, Finder(config.limits.photo_seconds) as finder:
        find = finder.face if config.real_photos else find_face
        run(Model(NAME, VERSION, MD5, answer, find, 7), taken, config.limits, remember)


if __name__ == "__main__":
    stage.run(main, Config)

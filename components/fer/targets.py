"""What a training learns from each image: labels, FER+ votes, the answers of teachers, mixtures of these.

Targets are float32 (N, E), rows of probabilities of E = 7 or 8 expressions. With teachers they are (N, 2 E): the
teachers' softened answer stands behind the label, so that whatever is done to the rows of a batch is done to both.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops
from numpy.typing import NDArray

from components.fer import ferplus, models, predict
from components.fer.dataset import Split
from components.fer.errors import InputError
from components.fer.recipe import Recipe

log = logging.getLogger("ferflow")

Floats = NDArray[np.float32]

TINY = 1e-7
"""What stands for a probability of 0 where its logarithm is taken."""


def one_hot(split: Split, expressions: int) -> Floats:
    """The labels of `split` as (N, `expressions`)."""
    return np.eye(expressions, dtype=np.float32)[split.label]


def targets(split: Split, recipe: Recipe, expressions: int) -> Floats:
    """What `recipe` has the images of `split` taught as: (N, `expressions`), or twice as wide with teachers.

    Raises `InputError` where the votes or a teacher cannot be read.
    """
    if recipe.soft_labels:
        taught = ferplus.read_soft_labels(Path(recipe.soft_labels), split, expressions)
    else:
        taught = one_hot(split, expressions)
    if not recipe.teacher_paths():
        return taught
    return np.concatenate([taught, softened(_answers(split, recipe, expressions), recipe.temperature)], axis=1)


def _answers(split: Split, recipe: Recipe, expressions: int) -> Floats:
    """The mean answer of the teachers to each image and its mirror image, (N, `expressions`)."""
    mean = np.zeros((len(split), expressions), np.float32)
    paths = recipe.teacher_paths()
    for path in paths:
        teacher = models.load(path)
        predict.check_model(teacher, path)
        if teacher.output_shape[-1] != expressions:
            raise InputError(
                f"teacher {path}: expected {expressions} probabilities an image, received {teacher.output_shape[-1]}.",
                "Name models that train-backbone or train-hybrid wrote for data with as many expressions.",
            )
        log.info("asking teacher %s about %s images and their mirror images", path, f"{len(split):,}")
        for images in (split.images, split.images[:, :, ::-1]):
            answer = predict.answers(teacher, images, recipe.devices)
            predict.check_probabilities(answer, path)
            mean += answer / (2 * len(paths))
    return mean


def softened(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities (N, E) whose logarithms are divided by `temperature`."""
    powers = np.maximum(probabilities, TINY) ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def mixed(
    images: NDArray[np.uint8], taught: Floats, alpha: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], Floats]:
    """Mix each image of a batch, and its target, with another: mixup (Zhang et al., ICLR 2018) with Beta(alpha, alpha).

    Images stay uint8 (rounding moves a pixel by at most half a grey value) and are mixed before they are augmented.
    """
    share = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    other = rng.permutation(len(images))
    of_pixels, of_rows = share[:, None, None, None], share[:, None]
    pixels = np.rint(of_pixels * images + (1 - of_pixels) * images[other]).astype(np.uint8)
    return pixels, of_rows * taught + (1 - of_rows) * taught[other]


def loss(recipe: Recipe) -> Callable[[KerasTensor, KerasTensor], KerasTensor]:
    """The loss of answers (N, E) to targets: cross-entropy with smoothed labels, in nats, (N,).

    Where targets have teachers, it is half that and half the teachers' divergence from the softened answer, times the
    temperature's square, by which softening shrinks gradients (Hinton, Vinyals, Dean, "Distilling the Knowledge in a
    Neural Network", 2015, sections 2 and 2.1).
    """

    def of_labels(taught: KerasTensor, answer: KerasTensor) -> KerasTensor:
        return keras.losses.categorical_crossentropy(taught, answer, label_smoothing=recipe.label_smoothing)

    def of_both(taught: KerasTensor, answer: KerasTensor) -> KerasTensor:
        expressions = answer.shape[-1]
        if taught.shape[-1] == expressions:  # PublicTest, which no teacher has seen
            return of_labels(taught, answer)
        softer = ops.maximum(answer, TINY) ** (1 / recipe.temperature)
        softer = softer / ops.sum(softer, axis=-1, keepdims=True)
        divergence = keras.losses.kl_divergence(taught[:, expressions:], softer)
        return (of_labels(taught[:, :expressions], answer) + recipe.temperature**2 * divergence) / 2

    return of_both


def accuracy(taught: KerasTensor, answer: KerasTensor) -> Any:
    """Whether the most probable expression of each answer is that of its target, (N,)."""
    return keras.metrics.categorical_accuracy(taught[:, : answer.shape[-1]], answer)

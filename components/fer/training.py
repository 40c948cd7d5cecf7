"""The one training loop: steps, behind any of which it can stop and go on, and the best epoch on PublicTest kept."""

import csv
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from components.fer import models, predict, stage
from components.fer.average import Average
from components.fer.checkpoint import Arrays, Checkpoints
from components.fer.dataset import MEND, Prepared, Split
from components.fer.errors import InputError, Stopped
from components.fer.optimizer import learning_rate, optimizer
from components.fer.progress import Progress
from components.fer.recipe import Recipe
from components.fer.targets import accuracy, loss, mixed, one_hot, targets

log = logging.getLogger("ferflow")

Weights = list[NDArray[Any]]

Row = dict[str, float]
"""What an epoch gave: epoch (from 1), loss, accuracy, val_loss, val_accuracy (PublicTest), learning_rate, seconds."""


@dataclass
class Course:
    """How far a training is: with the values of Keras' variables, all that it needs to go on."""

    step: int = 0
    loss: float = 0.0
    """the share of this epoch's steps so far in its mean loss"""
    accuracy: float = 0.0
    """the same of its mean accuracy"""
    seconds: float = 0.0
    """of this epoch so far"""
    history: list[Row] = field(default_factory=list)

    def end_epoch(self, measured: Mapping[str, float], rate: float) -> Row:
        """Add a row to the history, with PublicTest as `measured` and the learning rate, and begin a new epoch."""
        row: Row = {
            "epoch": len(self.history) + 1,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "val_loss": float(measured["loss"]),
            "val_accuracy": float(measured["accuracy"]),
            "learning_rate": rate,
            "seconds": round(self.seconds, 3),
        }
        self.history.append(row)
        self.loss = self.accuracy = self.seconds = 0.0
        return row

    @property
    def accuracies(self) -> list[float]:
        """PublicTest's accuracy of each epoch that is done."""
        return [row["val_accuracy"] for row in self.history]

    @property
    def best(self) -> bool:
        """Whether the last epoch is the best on PublicTest, the first of equals."""
        return self.accuracies[-1] > max(self.accuracies[:-1], default=-1.0)


def train(
    build: Callable[[], keras.Model], data: Prepared, recipe: Recipe, kept: Checkpoints | None = None
) -> tuple[keras.Model, list[Row]]:
    """Fit what `build` makes on Training; the model has the weights of its best epoch on PublicTest.

    Returns it with the history, one row an epoch. With `kept` the training goes on from its newest checkpoint, to the
    same weights, bit for bit on a CPU, as if it had never been stopped; on SIGTERM it saves one and raises `Stopped`.
    A multistage training stops behind each stage of its own accord, and goes on in a new model from that checkpoint.
    Raises `InputError` where the stages do not make up the epochs, or have no place for their checkpoints, where
    there is nothing to train on or to decide by, and where the training diverges.
    """
    for name in ("training", "public"):
        if not len(data[name]):
            raise InputError(f"prepared data set: expected images in its split {name}, found none.", MEND)
    taught: NDArray[np.float32] | None = None
    for end in _ends(recipe, kept):
        # Keras seeds new layers from Python's `random`, which other threads use too (those of a storage client do). The
        # first model is built before any storage is touched, and all of a later one comes from the checkpoint.
        model = build()
        if taught is None:
            taught = targets(data["training"], recipe, model.output_shape[-1])
        history = _train_until(end, model, taught, data, recipe, kept)
    # What is saved answers; it need not know the optimiser and the loss, which are of this code.
    return keras.Model(model.input, model.output), history


def _ends(recipe: Recipe, kept: Checkpoints | None) -> list[int]:
    """The epochs behind which the stages of a training end, the last of which is its last."""
    if not recipe.stages:
        return [recipe.epochs]
    try:
        ends = list(accumulate(int(text) for text in recipe.stages.split(",")))
    except ValueError:
        ends = []
    if not ends or ends[-1] != recipe.epochs or ends != sorted(set(ends)) or ends[0] < 1:
        raise InputError(
            f"stages: expected numbers of epochs that add up to {recipe.epochs}, received {recipe.stages}.",
            "Correct stages or epochs in params.yaml; stages: '' trains in one go.",
        )
    if kept is None:
        raise InputError(
            f"stages {recipe.stages}: expected a place for checkpoints, from which each stage goes on, received none.",
            "Set checkpoints to a folder in params.yaml.",
        )
    return ends


def _train_until(
    end: int,
    model: keras.Model,
    taught: NDArray[np.float32],
    data: Prepared,
    recipe: Recipe,
    kept: Checkpoints | None,
) -> list[Row]:
    """Fit `model` in place up to the epoch `end`, with `taught` as Training's targets, and give the history so far."""
    images = data["training"].images
    # Whole batches alone: TensorFlow's program for a shape, and so the last bit, depends on the shapes it met before.
    size = min(recipe.batch_size, len(images))
    steps = len(images) // size
    if size % recipe.devices:
        raise InputError(
            f"batch of {size}: expected a multiple of {recipe.devices}, for it is shared by as many devices.",
            "Correct batch_size or devices in params.yaml.",
        )
    model.compile(
        optimizer=optimizer(recipe, _depths(model)),
        loss=loss(recipe),
        metrics=[accuracy],
        # XLA makes depthwise convolutions eight times slower on a CPU; JAX cannot go without it.
        jit_compile=recipe.backend == "jax",
        steps_per_execution=recipe.steps_per_dispatch,
    )
    model.optimizer.build(model.trainable_variables)
    average = Average(model, recipe.ema) if recipe.ema else None
    course, best = _restored(model, average, kept)
    with stage.stopping() as stopped, Progress(recipe.epochs, steps * size, course.step * size) as progress:
        while course.step < end * steps:
            started = time.perf_counter()
            epoch, place = divmod(course.step, steps)
            count = min(recipe.steps_per_dispatch, steps - place)
            model.optimizer.learning_rate = rate = learning_rate(recipe, course.step, steps, course.accuracies)
            batches = [_batch(images, taught, recipe, epoch, size, number) for number in range(place, place + count)]
            given = _dispatch(model, batches)
            if not math.isfinite(given["loss"]):
                raise InputError(
                    f"loss at step {course.step + count:,} of {recipe.epochs * steps:,}: expected a number, received "
                    f"{given['loss']}. The training has diverged, at a learning rate of {rate:g}.",
                    "Lower learning_rate, or raise warmup_epochs, in params.yaml.",
                )
            course.loss += given["loss"] * count / steps
            course.accuracy += given["accuracy"] * count / steps
            course.step += count
            if average:
                average.update(course.step, count)
            progress.step(count * size)
            measured = None
            if place + count == steps:
                with average.in_place() if average else nullcontext():
                    measured = _measured(model, data["public"], recipe)
                    weights = model.get_weights()
            course.seconds += time.perf_counter() - started
            if measured:
                progress.epoch(course.end_epoch(measured, rate))
                best = weights if course.best else best
            if kept and (kept.due or stopped() or course.step == end * steps < recipe.epochs * steps):
                kept.save(course.step, _state(model, average, best), asdict(course))
            if stopped():
                raise Stopped(f"saved behind step {course.step} of {recipe.epochs * steps}" if kept else "")
    model.set_weights(best)
    return course.history


def _depths(model: keras.Model) -> list[int]:
    depth = models.depth(model)
    return [depth[variable.path] for variable in model.trainable_variables]


Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Images (B, 48, 48, 1) and their targets (B, E) or (B, 2 E), for E expressions."""


def _batch(
    images: NDArray[np.uint8], taught: NDArray[np.float32], recipe: Recipe, epoch: int, size: int, number: int
) -> Batch:
    """The batch `number` of an epoch, by seed, epoch and number alone, so that any step can be found again.

    The few images behind the last whole batch sit out; in the next epoch they are others.
    """
    chosen = _order(recipe.seed, epoch, len(images))[number * size : (number + 1) * size]
    if not recipe.mixup:
        return images[chosen], taught[chosen]
    return mixed(images[chosen], taught[chosen], recipe.mixup, np.random.default_rng([recipe.seed, epoch, number]))


@lru_cache(maxsize=1)
def _order(seed: int, epoch: int, images: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(images)


def _dispatch(model: keras.Model, batches: list[Batch]) -> Mapping[str, float]:
    """Train on batches in one order to the device, and give their mean loss and accuracy."""
    if len(batches) == 1:
        given: Mapping[str, float] = model.train_on_batch(*batches[0], return_dict=True)
        return given
    images, taught = (np.concatenate(part) for part in zip(*batches, strict=True))
    history = model.fit(images, taught, batch_size=len(batches[0][0]), shuffle=False, verbose=0).history
    return {name: values[0] for name, values in history.items()}


def _measured(model: keras.Model, split: Split, recipe: Recipe) -> Mapping[str, float]:
    """Mean loss and accuracy on the images of `split`; the loss is that of training, its smoothed labels included."""
    answers = predict.answers(model, split.images, recipe.devices)
    taught = one_hot(split, answers.shape[-1])
    found = {"loss": loss(recipe)(taught, answers), "accuracy": accuracy(taught, answers)}
    return {name: float(keras.ops.convert_to_numpy(values).mean()) for name, values in found.items()}


def _variables(model: keras.Model, average: Average | None) -> dict[str, list[keras.Variable]]:
    """All that a training changes, by part; random generators are among the model's variables."""
    averaged = average.variables if average else []
    return {"model": model.variables, "optimizer": model.optimizer.variables, "average": averaged}


def _state(model: keras.Model, average: Average | None, best: Weights) -> Arrays:
    """The values of all variables, and the weights of the best epoch so far."""
    return {
        f"{part}/{number:05d}": np.asarray(keras.ops.convert_to_numpy(value))
        for part, found in {**_variables(model, average), "best": best}.items()
        for number, value in enumerate(found)
    }


def _restored(model: keras.Model, average: Average | None, kept: Checkpoints | None) -> tuple[Course, Weights]:
    """Put a training where its newest checkpoint is: its course, and the weights of its best epoch so far."""
    saved = kept.latest() if kept else None
    if saved is None:
        return Course(), []
    course, arrays = Course(**saved.course), saved.arrays
    for part, variables in _variables(model, average).items():
        for number, variable in enumerate(variables):
            variable.assign(arrays[f"{part}/{number:05d}"])
    log.info("going on from a checkpoint: step %d, %d epochs done", course.step, len(course.history))
    return course, [arrays[name] for name in sorted(arrays) if name.startswith("best/")]


def summary(model: keras.Model, history: list[Row], images: int) -> dict[str, Any]:
    """What a training gave and cost: PublicTest accuracy and loss of the kept epoch, parameters, seconds, images/s."""
    best = max(history, key=lambda row: row["val_accuracy"])  # the first of equals, as `train` keeps it
    seconds = sum(row["seconds"] for row in history)
    return {
        "public": {"accuracy": best["val_accuracy"], "loss": best["val_loss"]},
        "training": {"accuracy": best["accuracy"], "loss": best["loss"]},
        "best_epoch": int(best["epoch"]),
        "epochs": len(history),
        "parameters": model.count_params(),
        "trainable_parameters": sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        "seconds": round(seconds, 1),
        "images_per_second": round(images * len(history) / seconds, 1),
    }


def write_history(history: list[Row], path: Path) -> None:
    """Write the rows as csv."""
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, fieldnames=list(history[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(history)


def write_summary(values: dict[str, Any], path: Path) -> None:
    """Write the summary as JSON and say its most wanted figure."""
    path.write_text(json.dumps(values, indent=2) + "\n")
    log.info(
        "PublicTest accuracy %.2f %% at epoch %d of %d, %.0f s",
        100 * values["public"]["accuracy"],
        values["best_epoch"],
        values["epochs"],
        values["seconds"],
    )

"""The one training loop: steps, behind any of which it can stop and go on, and the best epoch on PublicTest kept."""

import csv
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from components.fer import stage
from components.fer.checkpoint import Arrays, Checkpoints
from components.fer.dataset import EXPRESSIONS, Prepared, Split
from components.fer.errors import Stopped
from components.fer.progress import Progress
from components.fer.recipe import Recipe

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
    def best(self) -> bool:
        """Whether the last epoch is the best on PublicTest, the first of equals."""
        accuracy = [row["val_accuracy"] for row in self.history]
        return max(accuracy) > max(accuracy[:-1], default=-1.0)


def train(model: keras.Model, data: Prepared, recipe: Recipe, kept: Checkpoints | None = None) -> list[Row]:
    """Fit `model` in place on Training and leave it with the weights of its best epoch on PublicTest.

    Returns the history, one row an epoch. With `kept` the training goes on from its newest checkpoint, to the same
    weights, bit for bit on a CPU, as if it had never been stopped; on SIGTERM it saves one and raises `Stopped`.
    """
    (images, targets), public = _arrays(data["training"]), _arrays(data["public"])
    # Whole batches alone: TensorFlow's program for a shape, and so the last bit, depends on the shapes it met before.
    size = min(recipe.batch_size, len(images))
    steps = len(images) // size
    model.compile(
        optimizer=optimizer(recipe, steps),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
        # XLA makes depthwise convolutions eight times slower on a CPU; JAX cannot go without it.
        jit_compile=recipe.backend == "jax",
    )
    model.optimizer.build(model.trainable_variables)
    course, best = _restored(model, kept)
    order = _order(recipe.seed, course.step // steps, len(images))
    with stage.stopping() as stopped, Progress(recipe.epochs, steps * size, course.step * size) as progress:
        while course.step < recipe.epochs * steps:
            started = time.perf_counter()
            epoch, place = divmod(course.step, steps)
            if place == 0:
                order = _order(recipe.seed, epoch, len(images))
            batch = order[place * size : (place + 1) * size]
            given = model.train_on_batch(images[batch], targets[batch], return_dict=True)
            course.loss += float(given["loss"]) / steps
            course.accuracy += float(given["accuracy"]) / steps
            course.step += 1
            progress.step(size)
            measured = None
            if place + 1 == steps:
                measured = model.evaluate(*public, batch_size=256, verbose=0, return_dict=True)
            course.seconds += time.perf_counter() - started
            if measured:
                rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
                progress.epoch(course.end_epoch(measured, rate))
                best = model.get_weights() if course.best else best
            if kept and (kept.due or stopped()):
                kept.save(course.step, _state(model, best), asdict(course))
            if stopped():
                raise Stopped(f"saved behind step {course.step} of {recipe.epochs * steps}" if kept else "")
    model.set_weights(best)
    return course.history


def _order(seed: int, epoch: int, images: int) -> NDArray[np.int64]:
    """The order of the images in an epoch, by seed and epoch alone, so that any step can be found again.

    The few behind the last whole batch sit out; in the next epoch they are others.
    """
    return np.random.default_rng([seed, epoch]).permutation(images)


def _state(model: keras.Model, best: Weights) -> Arrays:
    """The values of all variables, those of random generators too, and the weights of the best epoch so far."""
    values = {"model": model.variables, "optimizer": model.optimizer.variables, "best": best}
    return {
        f"{part}/{number:05d}": np.asarray(keras.ops.convert_to_numpy(value))
        for part, found in values.items()
        for number, value in enumerate(found)
    }


def _restored(model: keras.Model, kept: Checkpoints | None) -> tuple[Course, Weights]:
    """Put a training where its newest checkpoint is: its course, and the weights of its best epoch so far."""
    saved = kept.latest() if kept else None
    if saved is None:
        return Course(), []
    course, arrays = Course(**saved.course), saved.arrays
    for part, variables in (("model", model.variables), ("optimizer", model.optimizer.variables)):
        for number, variable in enumerate(variables):
            variable.assign(arrays[f"{part}/{number:05d}"])
    log.info("going on from a checkpoint: step %d, %d epochs done", course.step, len(course.history))
    return course, [arrays[name] for name in sorted(arrays) if name.startswith("best/")]


def optimizer(recipe: Recipe, steps_an_epoch: int) -> keras.optimizers.Optimizer:
    """The update rule with its schedule: a linear warm-up from 0, then constant or a half cosine to 0."""
    total = recipe.epochs * steps_an_epoch
    warmup = min(round(recipe.warmup_epochs * steps_an_epoch), total - 1)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else recipe.learning_rate,
        decay_steps=total - warmup,
        alpha=0.0 if recipe.schedule == "cosine" else 1.0,
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    decay = recipe.weight_decay or None
    match recipe.optimizer:
        case "adam":
            rule = keras.optimizers.Adam(rate, weight_decay=decay)
        case "adamw":
            rule = keras.optimizers.AdamW(rate, weight_decay=decay)
        case "sgd":
            rule = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=decay)
    if decay:
        rule.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return rule


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


def _arrays(split: Split) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.float32]]]:
    return split.images, np.eye(len(EXPRESSIONS), dtype=np.float32)[split.label]

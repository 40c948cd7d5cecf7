"""The one training loop: compile, fit, keep the best epoch on PublicTest, report."""

import csv
import json
import logging
import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from components.fer.dataset import EXPRESSIONS, Prepared, Split
from components.fer.progress import Progress
from components.fer.recipe import Recipe

log = logging.getLogger("ferflow")


def train(model: keras.Model, data: Prepared, recipe: Recipe) -> list[dict[str, float]]:
    """Fit `model` in place on Training and leave it with the weights of its best epoch on PublicTest.

    Returns the history, one row an epoch: epoch (from 1), loss, accuracy, val_loss, val_accuracy (PublicTest),
    learning_rate, seconds.
    """
    steps = math.ceil(len(data["training"]) / recipe.batch_size)
    model.compile(
        optimizer=optimizer(recipe, steps),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
        # XLA makes depthwise convolutions eight times slower on a CPU; JAX cannot go without it.
        jit_compile=recipe.backend == "jax",
    )
    rows = History()
    model.fit(
        *_arrays(data["training"]),
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        validation_data=_arrays(data["public"]),
        validation_batch_size=256,
        verbose=0,
        callbacks=[
            rows,
            Progress(images=len(data["training"])),
            # Patience is out of reach: this only restores the best epoch's weights at the end.
            keras.callbacks.EarlyStopping(
                "val_accuracy", mode="max", patience=recipe.epochs + 1, restore_best_weights=True
            ),
        ],
    )
    return rows.epochs


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


class History(keras.callbacks.Callback):
    """Keeps one row an epoch, with the time it took."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[dict[str, float]] = []
        self.started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add a row."""
        measured = {name: float((logs or {})[name]) for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        seconds = time.perf_counter() - self.started
        self.epochs.append({"epoch": epoch + 1, **measured, "learning_rate": rate, "seconds": round(seconds, 3)})


def summary(model: keras.Model, history: list[dict[str, float]], images: int) -> dict[str, Any]:
    """What a training gave and cost: PublicTest accuracy and loss of the kept epoch, parameters, seconds, images/s."""
    best = max(history, key=lambda row: row["val_accuracy"])  # the first of equals, as EarlyStopping keeps it
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


def write_history(history: list[dict[str, float]], path: Path) -> None:
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

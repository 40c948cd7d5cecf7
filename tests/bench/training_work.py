"""One measured piece of training in a process of its own.

    python -m tests.bench.training_work TASK FOLDER ROUNDS STARTED

FOLDER holds images.npy, uint8 (N, 48, 48, 1), and label.npy; STARTED is the time at which the process was started.
Prints seconds, rates and bytes as JSON.
"""

import itertools
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from unittest import mock

import numpy as np
import yaml
from numpy.typing import NDArray

from components.fer import backend
from components.fer.dataset import EXPRESSIONS
from components.fer.recipe import Architecture, Recipe

ROOT = Path(__file__).parents[2]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())

SAMPLE = 1000
"""Images that a pipeline handles in a round: as many as the published way can hold in half a GiB."""

SIDE = 200
"""Height and width of the published way's images."""

STEPS = 5
"""Training steps in a row, before it is the other kind's turn."""


def main_job(**changes: object) -> Recipe:
    """The recipe of the main job's smaller backbone, `resnet_small`."""
    return _recipe({**PARAMS["training"], **PARAMS["backbone_b"], **changes})


def best_cpu(**changes: object) -> Recipe:
    """The recipe of best_cpu, whose network is `resnet_wide`."""
    params = yaml.safe_load((ROOT / "recipes" / "best_cpu" / "params.yaml").read_text())
    return _recipe({**params["training"], **params["student"], **changes})


def _recipe(values: Mapping[str, object]) -> Recipe:
    return Recipe.model_validate({name: values[name] for name in Recipe.model_fields})


def batches(count: int, size: int) -> Iterator[NDArray[np.int64]]:
    """A new order of the images, in whole batches."""
    order = np.random.default_rng(1).permutation(count)
    return (order[start : start + size] for start in range(0, count - size + 1, size))


def ours(images: NDArray[np.uint8], rounds: int, image_size: int) -> dict[str, float]:
    """The layers of a model between its uint8 input and its extractor, in training mode."""
    recipe = main_job(image_size=image_size)
    backend.select("tensorflow", recipe.seed)
    import keras
    import tensorflow as tf

    from components.fer import models

    model = models.single(recipe, models.extractor("resnet_small", image_size, "none", recipe.batch_norm_momentum))
    rgb = next(layer for layer in model.layers if isinstance(layer, keras.layers.Concatenate))
    layers = keras.Model(model.input, rgb.output)
    augmented = tf.function(lambda batch: layers(batch, training=True))

    def work() -> int:
        chosen = list(batches(SAMPLE, recipe.batch_size))
        for batch in chosen:
            augmented(images[batch]).numpy()
        return sum(len(batch) for batch in chosen)

    return {**rate(work, rounds), "size": images.nbytes / len(images)}


def published(images: NDArray[np.uint8], rounds: int) -> dict[str, float]:
    """The published way: 200x200x3 float32 arrays in memory, changed one by one by Keras' ImageDataGenerator."""
    recipe = main_job()
    backend.select("tensorflow", recipe.seed)
    import keras
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    grey = images[:SAMPLE].astype(np.float32)
    held = np.repeat(keras.ops.convert_to_numpy(keras.ops.image.resize(grey, (SIDE, SIDE))), 3, axis=-1)
    generator = ImageDataGenerator(
        horizontal_flip=True,
        rotation_range=recipe.rotation,
        width_shift_range=recipe.shift,
        height_shift_range=recipe.shift,
        zoom_range=recipe.zoom,
    )
    flow = generator.flow(held, batch_size=recipe.batch_size)

    def work() -> int:
        return sum(len(flow[number]) for number in range(SAMPLE // recipe.batch_size))

    return {**rate(work, rounds), "size": held.nbytes / len(held)}


def rate(work: Callable[[], int], rounds: int) -> dict[str, float]:
    """Images a second and CPU seconds an image of `work`, which returns its number of images; medians of rounds."""
    work()
    rates, cpu = [], []
    for _ in range(rounds):
        started, started_cpu = time.perf_counter(), time.process_time()
        images = work()
        rates.append(images / (time.perf_counter() - started))
        cpu.append((time.process_time() - started_cpu) / images)
    return {"rate": statistics.median(rates), "cpu": statistics.median(cpu)}


def steps(
    images: NDArray[np.uint8],
    label: NDArray[np.uint8],
    rounds: int,
    recipe: Recipe,
    architecture: Architecture,
    started: float,
) -> dict[str, float]:
    """Steps of a recipe on new batches, and on one batch that lies on the device."""
    backend.select(recipe.backend, recipe.seed)
    import keras

    from components.fer import models, targets, training
    from components.fer.optimizer import optimizer

    keras.config.set_dtype_policy(recipe.precision)
    extractor = models.extractor(architecture, recipe.image_size, "none", recipe.batch_norm_momentum)
    model = models.single(recipe, extractor)
    rule = optimizer(recipe, [0] * len(model.trainable_variables))
    # As `training.train` does.
    model.compile(rule, targets.loss(recipe), metrics=[targets.accuracy], jit_compile=recipe.backend == "jax")
    taught = np.eye(len(EXPRESSIONS), dtype=np.float32)[label]
    size = recipe.batch_size
    numbers = (divmod(step, len(images) // size) for step in itertools.count())

    def drawn() -> training.Batch:
        epoch, number = next(numbers)
        return training._batch(images, taught, recipe, epoch, size, number)

    def new() -> None:
        model.train_on_batch(*drawn(), return_dict=True)

    new()
    first = time.time() - started
    one = [keras.ops.convert_to_tensor(array) for array in drawn()]

    def same() -> None:
        model.train_on_batch(*one, return_dict=True)

    same()
    pairs = [(seconds(new), seconds(same)) for _ in range(rounds)]
    step, repeated = (statistics.median(taken) for taken in zip(*pairs, strict=True))
    return {
        "first": first,
        "step": step,
        "same": repeated,
        "waiting": statistics.median(fresh / other for fresh, other in pairs) - 1,
        "rate": size / step,
    }


def seconds(step: Callable[[], None]) -> float:
    """Mean seconds of a few steps in a row."""
    started = time.perf_counter()
    for _ in range(STEPS):
        step()
    return (time.perf_counter() - started) / STEPS


def main(task: str, folder: str, rounds: str, started: str) -> None:
    """Work, and say what it took."""
    images, label = (np.load(Path(folder) / name) for name in ("images.npy", "label.npy"))
    match task:
        case "ours":
            figures = ours(images, int(rounds), PARAMS["training"]["image_size"])
        case "equal":
            figures = ours(images, int(rounds), SIDE)
        case "published":
            figures = published(images, int(rounds))
        case "tensorflow" | "jax":
            figures = steps(images, label, int(rounds), main_job(backend=task), "resnet_small", float(started))
        case "float32" | "mixed_bfloat16":
            figures = steps(images, label, int(rounds), best_cpu(precision=task), "resnet_wide", float(started))
        case "composed":
            from components.fer import fused

            with mock.patch.object(fused, "FUSED", ()):
                figures = steps(images, label, int(rounds), best_cpu(), "resnet_wide", float(started))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts it in KiB
    print(json.dumps({**figures, "peak": peak}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])

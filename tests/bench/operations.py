"""The operations of a recipe's trainings, counted, and the hours that they take at a given speed: a prediction.

    python -m tests.bench.operations recipes/best_gpu --images 27434 --tera 20

TensorFlow's profiler counts the floating-point operations of the graph of one image, forward; a step of training does
three times as many (forward, and the gradients by features and by weights). `--tera` is what a device sustains, in
10^12 operations a second: two CPU cores with AVX-512 do about 0.25 on dense convolutions, a GPU 10 to 100.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from components.fer import models
from pipeline import parameters

STEP = 3
"""operations of a training step in those of a forward pass"""


def operations(model: keras.Model) -> int:
    """Floating-point operations of one image's way through `model`, a multiplication and an addition being two."""
    shape = (1, *model.inputs[0].shape[1:])
    graph = tf.function(model).get_concrete_function(tf.TensorSpec(shape, model.inputs[0].dtype)).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    count: int = tf.compat.v1.profiler.profile(graph, options=options).total_float_ops
    return count


def trainings(values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, int, int]]:
    """Name, operations an image, and epochs of each training that the sections of a params.yaml describe."""
    shared = values["training"]
    backbones = {name: section for name, section in values.items() if "architecture" in section}
    for name, section in backbones.items():
        size = section.get("image_size", shared["image_size"])
        yield name, _extractor(section["architecture"], size), section.get("epochs", shared.get("epochs"))
    for name, section in values.items():
        if "branches" in section:
            size = section.get("image_size", shared["image_size"])
            pair = [_extractor(one["architecture"], size) for one in list(backbones.values())[:2]]
            yield name, sum(pair), section.get("epochs", shared.get("epochs"))


def _extractor(architecture: Any, size: int) -> int:
    return operations(models.extractor(architecture, size, "none", 0.9))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="folder with a params.yaml")
    parser.add_argument("--images", type=int, default=27_434, help="images an epoch")
    parser.add_argument("--tera", type=float, required=True, help="sustained speed in 10^12 operations a second")
    given = parser.parse_args()
    document = parameters.document(given.recipe / "params.yaml")
    sections = {name: keys for name, keys in document.items() if isinstance(keys, dict)}
    hours = 0.0
    sys.stdout.write(
        "| training | GFLOP an image | epochs | PFLOP in all | hours, predicted |\n|---|---:|---:|---:|---:|\n"
    )
    for name, count, epochs in trainings(sections):
        total = STEP * count * given.images * epochs
        hours += total / (given.tera * 1e12) / 3600
        row = f"{count / 1e9:.2f} | {epochs} | {total / 1e15:.2f} | {total / (given.tera * 1e12) / 3600:.2f}"
        sys.stdout.write(f"| {name} | {row} |\n")
    sys.stdout.write(f"| together | | | | {hours:.2f} |\n")


if __name__ == "__main__":
    main()

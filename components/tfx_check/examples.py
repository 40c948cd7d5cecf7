"""tf.train.Examples with the features that slice, in TFX's layout, for TFMA to read."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.fer.dataset import SIDE, Masks
from components.fer.errors import InputError
from components.tfx_check import slices
from components.tfx_check.inputs import Answers
from components.tfx_check.slices import Columns, Texts

PUBLIC = "public"
STORED = "stored"
"""Split of the stored answers to PrivateTest, which holds no image."""

PREDICTION = "probabilities"
LABEL = "label"

MEND = "Predictions and TFRecords must come from one data set: dvc repro"


def write_public(
    prepared: Path, folder: Path, answers: Answers, masks: Masks, certainty: Texts | None
) -> tuple[Columns, NDArray[np.uint8]]:
    """Write PublicTest's Examples of the `prepared` TFRecords with their slices; give these and images (N, 48, 48, 1).

    Raises `InputError` where they are not the images, in their order, that `answers` are for.
    """
    found = [tf.train.Example.FromString(record) for record in _records(prepared / f"Split-{PUBLIC}")]
    row, label = (np.array([_integer(one, name) for one in found], np.int64) for name in ("row", "label"))
    for name, here, there in (("rows", row, answers.row), ("labels", label, answers.label)):
        if not np.array_equal(here, there):
            differing = int(np.sum(here != there)) if len(here) == len(there) else f"{len(here):,} and {len(there):,}"
            raise InputError(
                f"TFRecords {prepared}: not PublicTest as predicted: {differing} {name} differ.",
                MEND,
            )
    images = _images(found)
    bands = slices.brightness(images.mean(axis=(1, 2, 3)))
    sliced = {**slices.columns(label, row, masks, certainty), "brightness": bands}
    for number, example in enumerate(found):
        _add(example, sliced, number)
    _write(found, folder / f"Split-{PUBLIC}")
    return sliced, images


def write_stored(folder: Path, answers: Answers, masks: Masks, certainty: Texts | None) -> Columns:
    """Write the stored answers to PrivateTest as Examples with their slices, and give these; no image is opened."""
    sliced = slices.columns(answers.label, answers.row, masks, certainty)
    made = []
    for number, (label, probabilities) in enumerate(zip(answers.label, answers.probabilities, strict=True)):
        example = tf.train.Example()
        example.features.feature[LABEL].int64_list.value.append(int(label))
        example.features.feature[PREDICTION].float_list.value.extend(probabilities.tolist())
        _add(example, sliced, number)
        made.append(example)
    _write(made, folder / f"Split-{STORED}")
    return sliced


def _records(folder: Path) -> Iterator[bytes]:
    paths = sorted(folder.glob("data_tfrecord-*"))
    if not paths:
        raise InputError(f"TFRecords {folder}: expected data_tfrecord-..., found none.", "dvc repro preprocess")
    try:
        yield from tf.data.TFRecordDataset([str(path) for path in paths]).as_numpy_iterator()
    except tf.errors.OpError as error:
        reason = re.sub(r"^.*}} | \[Op:.*$", "", str(error.message).splitlines()[0])
        raise InputError(f"TFRecords {folder}: cannot be read ({reason}).", "dvc repro preprocess") from error


def _integer(example: tf.train.Example, name: str) -> int:
    values = example.features.feature[name].int64_list.value
    if len(values) != 1:
        raise InputError(f"TFRecords: expected one number {name} an Example, found {len(values)}.", MEND)
    return int(values[0])


def _images(found: list[tf.train.Example]) -> NDArray[np.uint8]:
    images = [example.features.feature["image"].bytes_list.value for example in found]
    if any(len(image) != 1 or len(image[0]) != SIDE * SIDE for image in images):
        raise InputError(f"TFRecords: expected an image of {SIDE * SIDE:,} bytes in each Example, found others.", MEND)
    return np.frombuffer(b"".join(image[0] for image in images), np.uint8).reshape(-1, SIDE, SIDE, 1)


def _add(example: tf.train.Example, sliced: Columns, number: int) -> None:
    for name, values in sliced.items():
        example.features.feature[name].bytes_list.value.append(str(values[number]).encode())


def _write(examples: list[tf.train.Example], folder: Path) -> None:
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "data_tfrecord-00000-of-00001")) as file:
        for example in examples:
            file.write(example.SerializeToString(deterministic=True))

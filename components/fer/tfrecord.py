"""The prepared data set as TFRecords of tf.train.Example in TFX's layout; the one module of it that needs TensorFlow.

`Split-train/data_tfrecord-00000-of-00004`, ... with the features `image` (2,304 bytes), `label` and `row` (int64). Not
compressed, unlike TFX's default: grey faces are noise to gzip, which saves 7 % and takes five times as long to write.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from components.fer.dataset import MEND, SIDE, Prepared, Split
from components.fer.errors import InputError, TemporaryError

FOLDERS = {"training": "Split-train", "public": "Split-public", "private": "Split-private"}
"""Folder of each split; TFX's components look for `train`."""

RETRY = "See to the storage, then start the same command again."

BATCH = 4096
"""Examples parsed at once."""

FEATURES = {
    "image": tf.io.FixedLenFeature([], tf.string),
    "label": tf.io.FixedLenFeature([], tf.int64),
    "row": tf.io.FixedLenFeature([], tf.int64),
}


def write(prepared: Prepared, folder: Path, shards: int) -> None:
    """Write each split as `shards` files, one after the other in the order of the split.

    Raises `TemporaryError` where the storage fails.
    """
    for name, split in prepared.items():
        target = folder / FOLDERS[name]
        target.mkdir(parents=True)
        for shard, rows in enumerate(np.array_split(np.arange(len(split)), shards)):
            path = target / f"data_tfrecord-{shard:05d}-of-{shards:05d}"
            try:
                with tf.io.TFRecordWriter(str(path)) as file:
                    for row in rows:
                        file.write(_example(split, row))
            except tf.errors.OpError as error:
                raise TemporaryError(f"TFRecord {path}: cannot be written ({_reason(error)}).", RETRY) from error


def _example(split: Split, index: int) -> bytes:
    example = tf.train.Example()
    feature = example.features.feature
    feature["image"].bytes_list.value.append(split.images[index].tobytes())
    feature["label"].int64_list.value.append(int(split.label[index]))
    feature["row"].int64_list.value.append(int(split.row[index]))
    serialized: bytes = example.SerializeToString(deterministic=True)
    return serialized


def read(folder: Path) -> Mapping[str, Mapping[str, NDArray[Any]]]:
    """Read what `write` wrote, in the same order: for each split its images, label and row.

    Raises `InputError` where a shard is missing or a record is damaged or no Example of this data set.
    """
    return {name: _read_split(folder / inner) for name, inner in FOLDERS.items()}


def _read_split(folder: Path) -> dict[str, NDArray[Any]]:
    columns: dict[str, list[NDArray[Any]]] = {"image": [], "label": [], "row": []}
    for path in _shards(folder):
        try:
            for batch in tf.data.TFRecordDataset(str(path)).batch(BATCH).as_numpy_iterator():
                parsed = tf.io.parse_example(batch, FEATURES)
                columns["image"].append(_pixels(parsed["image"].numpy(), path))
                columns["label"].append(parsed["label"].numpy())
                columns["row"].append(parsed["row"].numpy())
        except tf.errors.OpError as error:
            raise InputError(f"TFRecord {path}: cannot be read ({_reason(error)}).", MEND) from error
    empty = np.zeros(0, np.int64)
    label, row = (np.concatenate([empty, *columns[name]]) for name in ("label", "row"))
    images = np.concatenate([np.zeros((0, SIDE, SIDE, 1), np.uint8), *columns["image"]])
    return {"images": images, "label": _narrow(label, np.uint8, folder), "row": _narrow(row, np.int32, folder)}


def _shards(folder: Path) -> list[Path]:
    """List all shards of a split in order; raises `InputError` where one is missing or there are others."""
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    match = re.fullmatch(r"data_tfrecord-00000-of-(\d{5})", found[0]) if found else None
    if match is None:
        first = found[0] if found else "nothing"
        raise InputError(f"TFRecords {folder}: expected data_tfrecord-00000-of-..., found {first}.", MEND)
    count = int(match[1])
    expected = [f"data_tfrecord-{shard:05d}-of-{count:05d}" for shard in range(count)]
    for name in sorted(set(expected) ^ set(found)):
        problem = "is missing" if name in expected else "is not expected there"
        raise InputError(f"TFRecords {folder}: {name} {problem}.", MEND)
    return [folder / name for name in expected]


def _pixels(images: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    for image in images:
        if len(image) != SIDE * SIDE:
            raise InputError(f"TFRecord {path}: expected {SIDE * SIDE:,} bytes an image, found {len(image):,}.", MEND)
    return np.frombuffer(b"".join(images), np.uint8).reshape(-1, SIDE, SIDE, 1)


def _narrow(values: NDArray[np.int64], dtype: type[np.integer[Any]], folder: Path) -> NDArray[Any]:
    """Give `values` a smaller dtype; one that does not fit would otherwise wrap around into a valid one."""
    limits = np.iinfo(dtype)
    wrong = values[(values < limits.min) | (values > limits.max)]
    if len(wrong):
        expected = f"expected numbers from {limits.min} to {limits.max}"
        raise InputError(f"TFRecords {folder}: {expected}, found {wrong[0]}.", MEND)
    return values.astype(dtype)


def _reason(error: tf.errors.OpError) -> str:
    """Give TensorFlow's message without the names of its functions and operations."""
    return re.sub(r"^.*}} | \[Op:.*$", "", str(error.message).splitlines()[0])

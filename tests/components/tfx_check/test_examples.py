"""The Examples that TFMA slices: PublicTest as it was prepared, PrivateTest as evaluate answered it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.fer import prepared
from components.fer.dataset import SPLITS, Faces, Masks, Prepared, Split
from components.fer.errors import InputError
from components.tfx_check import examples
from components.tfx_check.inputs import Answers
from components.validate import audit


@pytest.fixture(scope="module")
def data(made: Faces) -> Prepared:
    rows = [np.flatnonzero(made.usage == usage).astype(np.int32) for usage in range(len(SPLITS))]
    return {
        name: Split(made.images[row, ..., None], made.label[row], row) for name, row in zip(SPLITS, rows, strict=True)
    }


@pytest.fixture(scope="module")
def masks(made: Faces) -> Masks:
    return audit.masks(made, 0.95)


@pytest.fixture
def tfrecord(data: Prepared, tmp_path: Path) -> Path:
    """The prepared TFRecords, without those of PrivateTest: nothing here may need them."""
    prepared.write_tfrecord(data, tmp_path / "tfrecord", 3)
    shutil.rmtree(tmp_path / "tfrecord" / "Split-private")
    return tmp_path / "tfrecord"


def answers(split: Split) -> Answers:
    return Answers(split.row, split.label, np.eye(7, dtype=np.float32)[split.label])


def read(folder: Path) -> list[tf.train.Example]:
    paths = [str(path) for path in sorted(folder.iterdir())]
    return [tf.train.Example.FromString(record) for record in tf.data.TFRecordDataset(paths).as_numpy_iterator()]


def test_public_test_keeps_its_images_and_gets_its_slices(
    tfrecord: Path, data: Prepared, masks: Masks, tmp_path: Path
) -> None:
    public = data["public"]
    certainty = np.full(len(masks), "clear")
    sliced, images = examples.write_public(tfrecord, tmp_path / "out", answers(public), masks, certainty)
    assert np.array_equal(images, public.images)
    assert set(sliced) == {"expression", "clean_exact", "clean_near", "certainty", "brightness"}
    written = read(tmp_path / "out" / "Split-public")
    assert len(written) == len(public)
    for number, (before, after) in enumerate(zip(read(tfrecord / "Split-public"), written, strict=True)):
        for name in ("image", "label", "row"):
            assert before.features.feature[name] == after.features.feature[name]
        for name, values in sliced.items():
            assert after.features.feature[name].bytes_list.value == [values[number].encode()]


def test_private_test_is_its_stored_answers_alone(data: Prepared, masks: Masks, tmp_path: Path) -> None:
    private = data["private"]
    sliced = examples.write_stored(tmp_path, answers(private), masks, None)
    assert set(sliced) == {"expression", "clean_exact", "clean_near"}
    written = read(tmp_path / "Split-stored")
    assert [example.features.feature["label"].int64_list.value[0] for example in written] == private.label.tolist()
    assert all("image" not in example.features.feature for example in written)
    probabilities = [example.features.feature["probabilities"].float_list.value for example in written]
    assert np.array_equal(np.array(probabilities), np.eye(7)[private.label])


@pytest.mark.parametrize(("column", "told"), [("row", "1 rows differ"), ("label", "1 labels differ")])
def test_answers_for_other_images_are_refused(
    tfrecord: Path, data: Prepared, masks: Masks, tmp_path: Path, column: str, told: str
) -> None:
    columns = data["public"].columns()
    changed = columns[column].copy()
    changed[5] = (changed[5] + 1) % 7
    with pytest.raises(InputError, match=f"not PublicTest as predicted: {told}"):
        examples.write_public(tfrecord, tmp_path / "out", answers(Split(**columns | {column: changed})), masks, None)


def test_fewer_answers_than_images_are_refused(tfrecord: Path, data: Prepared, masks: Masks, tmp_path: Path) -> None:
    fewer = Split(**{name: array[1:] for name, array in data["public"].columns().items()})
    with pytest.raises(InputError, match="70 and 69 rows differ"):
        examples.write_public(tfrecord, tmp_path / "out", answers(fewer), masks, None)


def test_a_damaged_record_is_named(tfrecord: Path, data: Prepared, masks: Masks, tmp_path: Path) -> None:
    shard = sorted((tfrecord / "Split-public").iterdir())[1]
    shard.write_bytes(shard.read_bytes()[:-7])
    with pytest.raises(InputError, match=r"TFRecords .*Split-public: cannot be read \(truncated record"):
        examples.write_public(tfrecord, tmp_path / "out", answers(data["public"]), masks, None)

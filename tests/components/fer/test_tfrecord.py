"""The TFRecords follow TFX's layout and are read strictly."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.fer import made_faces, prepared, tfrecord
from components.fer.dataset import SPLITS, Prepared
from components.fer.errors import InputError, TemporaryError
from tests.components.fer import strategies

MEND = "Write it again: dvc repro"


@pytest.fixture(scope="module")
def data() -> Prepared:
    return {name: strategies.split(made_faces.made_faces(10, seed), seed * 100) for seed, name in enumerate(SPLITS)}


@pytest.fixture
def folder(data: Prepared, tmp_path: Path) -> Path:
    prepared.write_tfrecord(data, tmp_path / "tfrecord", 3)
    return tmp_path / "tfrecord"


def example(**changed: object) -> bytes:
    """One Example with some features changed, or left out where None."""
    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[bytes(48 * 48)])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[3])),
        "row": tf.train.Feature(int64_list=tf.train.Int64List(value=[0])),
        **changed,
    }
    present = {name: feature for name, feature in features.items() if feature is not None}
    record: bytes = tf.train.Example(features=tf.train.Features(feature=present)).SerializeToString()
    return record


def integer(*values: int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def image(content: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))


def write(path: Path, *records: bytes) -> None:
    with tf.io.TFRecordWriter(str(path)) as file:
        for record in records:
            file.write(record)


def message(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        prepared.read(folder)
    problem, mend = str(caught.value).splitlines()
    assert mend == MEND
    return problem


def test_the_layout_is_that_of_tfx(folder: Path) -> None:
    names = [f"data_tfrecord-0000{shard}-of-00003" for shard in range(3)]
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert written == sorted(f"Split-{split}/{name}" for split in ("train", "public", "private") for name in names)


def test_a_record_is_an_example_of_image_label_and_row(folder: Path, data: Prepared) -> None:
    (record, *_), split = (
        tf.data.TFRecordDataset(str(folder / "Split-public/data_tfrecord-00000-of-00003")),
        data["public"],
    )
    feature = tf.train.Example.FromString(record.numpy()).features.feature
    assert sorted(feature) == ["image", "label", "row"]
    assert feature["image"].bytes_list.value[0] == split.images[0].tobytes()
    assert list(feature["label"].int64_list.value) == [split.label[0]]
    assert list(feature["row"].int64_list.value) == [split.row[0]]


def test_shards_are_as_even_as_can_be_and_in_order(folder: Path, data: Prepared) -> None:
    sizes = [sum(1 for _ in tf.data.TFRecordDataset(str(path))) for path in sorted((folder / "Split-train").iterdir())]
    assert sizes == [4, 3, 3]
    strategies.assert_equal(prepared.read(folder), data)


def test_the_same_data_gives_the_same_bytes(folder: Path, data: Prepared, tmp_path: Path) -> None:
    prepared.write_tfrecord(dict(reversed([*data.items()])), tmp_path / "again", 3)
    for path in folder.rglob("*-of-*"):
        assert (tmp_path / "again" / path.relative_to(folder)).read_bytes() == path.read_bytes()


KEY = "Name: <unknown>, Key:"
FORMS = {
    "no image": (
        example(image=None),
        "Name: <unknown>, Feature: image (data type: string) is required but could not be found.",
    ),
    "no label": (
        example(label=None),
        "Name: <unknown>, Feature: label (data type: int64) is required but could not be found.",
    ),
    "text for a row": (
        example(row=image(b"1")),
        f"{KEY} row, Index: 1.  Data types don't match. Data type: string but expected type: int64",
    ),
    "two labels": (
        example(label=integer(1, 2)),
        f"{KEY} label, Index: 1.  Number of int64 values != expected.  Values size: 2 but output shape: []",
    ),
    "no Example": (b"not an Example", "Could not parse example input, value: 'not an Example'"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_record_of_another_form_is_refused(name: str, folder: Path) -> None:
    record, reason = FORMS[name]
    path = folder / "Split-train/data_tfrecord-00001-of-00003"
    write(path, example(), record)
    assert message(folder) == f"TFRecord {path}: cannot be read ({reason})."


@pytest.mark.parametrize("size", [0, 2303, 2305])
def test_an_image_of_another_size_is_refused(size: int, folder: Path) -> None:
    path = folder / "Split-train/data_tfrecord-00001-of-00003"
    write(path, example(), example(image=image(bytes(size))))
    assert message(folder) == f"TFRecord {path}: expected 2,304 bytes an image, found {size:,}."


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (example(label=integer(256)), "TFRecords {split}: expected numbers from 0 to 255, found 256."),
        (example(label=integer(-1)), "TFRecords {split}: expected numbers from 0 to 255, found -1."),
        (example(label=integer(8)), "prepared data set {folder}, training, label: expected 0 to 7, received 8."),
        (
            example(row=integer(2**31)),
            "TFRecords {split}: expected numbers from -2147483648 to 2147483647, found 2147483648.",
        ),
        (example(row=integer(-1)), "prepared data set {folder}, training, row: expected 0 to 2147483647, received -1."),
    ],
)
def test_a_number_out_of_range_is_refused_and_does_not_wrap_around(record: bytes, expected: str, folder: Path) -> None:
    write(folder / "Split-train/data_tfrecord-00001-of-00003", record)
    assert message(folder) == expected.format(split=folder / "Split-train", folder=folder)


def test_a_changed_byte_is_found(folder: Path) -> None:
    path = folder / "Split-private/data_tfrecord-00002-of-00003"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    assert message(folder) == f"TFRecord {path}: cannot be read (corrupted record at 12)."


def test_a_cut_shard_is_found(folder: Path) -> None:
    path = folder / "Split-private/data_tfrecord-00002-of-00003"
    path.write_bytes(path.read_bytes()[:-1])
    assert message(folder).startswith(f"TFRecord {path}: cannot be read (truncated record at ")


def test_missing_and_unexpected_files_are_named(folder: Path) -> None:
    split = folder / "Split-train"
    (split / "data_tfrecord-00001-of-00003").rename(split / "data_tfrecord-00003-of-00003")
    assert message(folder) == f"TFRecords {split}: data_tfrecord-00001-of-00003 is missing."
    (split / "data_tfrecord-00001-of-00003").touch()
    assert message(folder) == f"TFRecords {split}: data_tfrecord-00003-of-00003 is not expected there."
    (split / "data_tfrecord-00000-of-00003").rename(split / "data_tfrecord-00000-of-3")
    assert message(folder) == f"TFRecords {split}: expected data_tfrecord-00000-of-..., found data_tfrecord-00000-of-3."
    shutil.rmtree(split)
    assert message(folder) == f"TFRecords {split}: expected data_tfrecord-00000-of-..., found nothing."


def test_a_storage_that_fails_is_a_temporary_fault(
    data: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.io, "TFRecordWriter", full)
    with pytest.raises(
        TemporaryError, match=r"data_tfrecord-00000-of-00001: cannot be written \(No space left on device"
    ):
        prepared.write_tfrecord(data, tmp_path / "tfrecord", 1)


def test_a_split_may_be_smaller_than_its_shards(data: Prepared, tmp_path: Path) -> None:
    small = {name: type(split)(split.images[:2], split.label[:2], split.row[:2]) for name, split in data.items()}
    tfrecord.write(small, tmp_path / "tfrecord", 5)
    strategies.assert_equal(prepared.read(tmp_path / "tfrecord"), small)
    assert np.all([path.is_file() for path in (tmp_path / "tfrecord/Split-train").iterdir()])

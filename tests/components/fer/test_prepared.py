"""Pickle and TFRecords have one meaning, and a round trip loses nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.fer import array_pickle, made_faces, prepared
from components.fer.dataset import SPLITS, Faces, Prepared, Split
from components.fer.errors import InputError
from tests.components.fer import strategies

MEND = "Write it again: dvc repro"


def splits_of(faces: Faces) -> Prepared:
    """Prepare with nothing dropped."""
    rows = [np.flatnonzero(faces.usage == usage) for usage in range(len(SPLITS))]
    return {
        name: Split(faces.images[row][..., None], faces.label[row], row.astype(np.int32))
        for name, row in zip(SPLITS, rows, strict=True)
    }


def faces_of(data: Prepared) -> Faces:
    """Put all images back to their rows."""
    order = np.argsort(np.concatenate([split.row for split in data.values()]))
    usage = np.repeat(np.arange(len(SPLITS), dtype=np.uint8), [len(split) for split in data.values()])
    images = np.concatenate([split.images[..., 0] for split in data.values()])
    label = np.concatenate([split.label for split in data.values()])
    return Faces(images[order], label[order], usage[order])


@given(data=strategies.prepared(), shards=st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_pickle_and_tfrecords_give_identical_tensors(
    data: Prepared, shards: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("both")
    prepared.write_pickle(data, folder / "pickle")
    prepared.write_tfrecord(data, folder / "tfrecord", shards)
    from_pickle, from_tfrecord = prepared.read(folder / "pickle"), prepared.read(folder / "tfrecord")
    strategies.assert_equal(from_pickle, from_tfrecord)
    strategies.assert_equal(from_pickle, data)


@given(faces=strategies.faces(most=8), form=st.sampled_from(["pickle", "tfrecord"]))
@settings(max_examples=15, deadline=None)
def test_a_round_trip_gives_the_csv_back(faces: Faces, form: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("trip")
    if form == "pickle":
        prepared.write_pickle(splits_of(faces), folder / form)
    else:
        prepared.write_tfrecord(splits_of(faces), folder / form, 2)
    made_faces.write_csv(faces, folder / "before.csv")
    made_faces.write_csv(faces_of(prepared.read(folder / form)), folder / "after.csv")
    assert (folder / "after.csv").read_bytes() == (folder / "before.csv").read_bytes()


@given(data=strategies.prepared())
@settings(max_examples=20, deadline=None)
def test_writing_what_was_read_gives_the_same_bytes(data: Prepared, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("again")
    prepared.write_pickle(dict(reversed([*data.items()])), folder / "one")
    prepared.write_pickle(prepared.read(folder / "one"), folder / "two")
    assert (folder / "two").read_bytes() == (folder / "one").read_bytes()


def tree(**changed: Any) -> dict[str, Any]:
    """A prepared data set of one image a split; `changed` are arrays of the public split."""
    arrays = {"images": np.zeros((1, 48, 48, 1), "u1"), "label": np.zeros(1, "u1"), "row": np.zeros(1, "i4")}
    return {"training": arrays, "public": {**arrays, **changed}, "private": arrays}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"training": {}, "test": {}}, ": expected training, public, private, received test, training."),
        ({}, ": expected training, public, private, received nothing."),
        (
            tree(images=np.zeros((1, 48, 48), "u1")),
            ", public, images: expected uint8 (N, 48, 48, 1), received uint8 (1, 48, 48).",
        ),
        (tree(label=np.zeros(1, "i4")), ", public, label: expected uint8 (N,), received int32 (1,)."),
        (tree(label=np.array([8], "u1")), ", public, label: expected 0 to 7, received 8."),
        (tree(row=np.array([-5], "i4")), ", public, row: expected 0 to 2147483647, received -5."),
        (tree(row=np.zeros(2, "i4")), ", public: expected arrays of one length, received images 1, label 1, row 2."),
        (
            tree(weight=np.zeros(1, "u1")),
            ", public: expected the arrays images, label, row, received images, label, row, weight.",
        ),
    ],
)
def test_other_arrays_than_the_expected_are_refused(content: dict[str, Any], expected: str, tmp_path: Path) -> None:
    path = tmp_path / "prepared.pickle"
    array_pickle.dump(content, path)
    with pytest.raises(InputError) as caught:
        prepared.read(path)
    assert str(caught.value) == f"prepared data set {path}{expected}\n{MEND}"


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (b"\x80\x05N.", ": expected a dictionary, received NoneType."),
        (
            b"\x80\x05}\x8c\x08trainingNs\x8c\x06publicNs\x8c\x07privateNs.",
            ", training: expected a dictionary, received NoneType.",
        ),
    ],
)
def test_other_things_than_dictionaries_are_refused(program: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "prepared.pickle"
    path.write_bytes(program)
    with pytest.raises(InputError) as caught:
        prepared.read(path)
    assert str(caught.value) == f"prepared data set {path}{expected}\n{MEND}"


def test_an_absent_data_set_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prepared.read(tmp_path / "absent")
    assert str(caught.value) == f"prepared data set {tmp_path / 'absent'}: no such file or folder.\n{MEND}"


def test_a_pickle_is_read_without_tensorflow(tmp_path: Path) -> None:
    array_pickle.dump(tree(), tmp_path / "prepared.pickle")
    code = (
        "import sys; from pathlib import Path; from components.fer import prepared; "
        "prepared.read(Path(sys.argv[1])); sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "prepared.pickle")], check=True)

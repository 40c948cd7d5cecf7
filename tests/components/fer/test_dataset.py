"""Arrays on disk come back as they were, or with an error that says what is wrong with them."""

import contextlib
import dataclasses
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.fer.dataset import (
    EXPRESSIONS,
    SPLITS,
    USAGES,
    Arrays,
    Faces,
    Masks,
    Predictions,
    Split,
    expression_count,
    expression_names,
)
from components.fer.errors import InputError
from tests.components.fer import strategies

MEND = "Write it again: dvc repro"


def columns(**changed: object) -> dict[str, Any]:
    """The columns of two faces, some of them changed."""
    return {"images": np.zeros((2, 48, 48), "u1"), "label": np.zeros(2, "u1"), "usage": np.zeros(2, "u1"), **changed}


def npz(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez(path, **arrays)
    return path


def message(path: Path, kind: type[Arrays] = Faces) -> str:
    with pytest.raises(InputError) as caught:
        kind.load(path)
    problem, mend = str(caught.value).splitlines()
    assert mend == MEND
    return problem.removeprefix(f"{kind.__name__.lower()} {path}")


def test_names_are_those_of_the_official_csv() -> None:
    assert EXPRESSIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert USAGES == ("Training", "PublicTest", "PrivateTest")
    assert SPLITS == ("training", "public", "private")


def test_eight_are_the_seven_and_contempt_behind_them() -> None:
    assert expression_names(7) == EXPRESSIONS
    assert expression_names(8) == (*EXPRESSIONS, "contempt")
    with pytest.raises(InputError, match="expressions: expected 7 or 8, received 9"):
        expression_names(9)


def test_data_has_eight_expressions_where_any_image_is_labelled_contempt() -> None:
    plain, scornful = np.arange(7, dtype=np.uint8), np.array([7], np.uint8)
    assert [expression_count(), expression_count(plain), expression_count(plain, scornful)] == [7, 7, 8]


@pytest.mark.parametrize(
    ("width", "label", "expected"),
    [
        (6, 0, ", probabilities: expected float32 (N, 7) or (N, 8), received float32 (1, 6)."),
        (7, 7, ", label: expected 0 to 6, received 7."),
    ],
)
def test_predictions_have_seven_or_eight_probabilities(width: int, label: int, expected: str, tmp_path: Path) -> None:
    def predictions(width: int, label: int) -> Path:
        one = {"row": np.zeros(1, np.int32), "label": np.array([label], np.uint8), "usage": np.ones(1, np.uint8)}
        return npz(tmp_path / "predictions.npz", {**one, "probabilities": np.zeros((1, width), np.float32)})

    for good in ((7, 6), (8, 7), (8, 0)):
        assert Predictions.load(predictions(*good)).probabilities.shape == (1, good[0])
    assert message(predictions(width, label), Predictions) == expected


@given(faces=strategies.faces())
@settings(max_examples=20, deadline=None)
def test_faces_come_back_as_they_were(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("faces") / "faces.of.any.suffix"
    faces.save(path)
    loaded = Faces.load(path)
    assert len(loaded) == len(faces)
    for name, array in faces.columns().items():
        np.testing.assert_array_equal(loaded.columns()[name], array, strict=True)


def test_masks_come_back_with_their_nans(tmp_path: Path) -> None:
    truth, number = np.array([True, False]), np.array([0, -1], np.int32)
    masks = Masks(truth, truth, truth, truth, number, np.array([np.nan, 0.5], np.float32))
    masks.save(tmp_path / "masks.npz")
    for name, array in Masks.load(tmp_path / "masks.npz").columns().items():
        np.testing.assert_array_equal(array, masks.columns()[name], strict=True)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"images": np.zeros((2, 48, 48))}, ", images: expected uint8 (N, 48, 48), received float64 (2, 48, 48)."),
        ({"images": np.zeros((2, 48, 47), "u1")}, ", images: expected uint8 (N, 48, 48), received uint8 (2, 48, 47)."),
        (
            {"images": np.zeros((2, 48, 48, 1), "u1")},
            ", images: expected uint8 (N, 48, 48), received uint8 (2, 48, 48, 1).",
        ),
        ({"label": np.zeros(2, "i8")}, ", label: expected uint8 (N,), received int64 (2,)."),
        ({"label": np.uint8(1)}, ", label: expected uint8 (N,), received uint8 ()."),
        ({"label": np.array([7, 8], "u1")}, ", label: expected 0 to 7, received 8."),
        ({"usage": np.array([3, 0], "u1")}, ", usage: expected 0 to 2, received 3."),
        ({"usage": np.array(["Training", "Training"])}, ", usage: expected uint8 (N,), received <U8 (2,)."),
        ({"label": np.zeros(3, "u1")}, ": expected arrays of one length, received images 2, label 3, usage 2."),
        ({"row": np.zeros(2)}, ": expected the arrays images, label, usage, received images, label, row, usage."),
    ],
)
def test_other_arrays_are_refused_with_what_was_expected_and_received(
    changed: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    assert message(npz(tmp_path / "faces.npz", columns(**changed))) == expected


def test_missing_arrays_are_named(tmp_path: Path) -> None:
    path = npz(tmp_path / "faces.npz", {"images": columns()["images"]})
    assert message(path) == ": expected the arrays images, label, usage, received images."


def test_an_object_array_is_refused_and_not_unpickled(tmp_path: Path) -> None:
    path = npz(tmp_path / "faces.npz", columns(label=np.array([0, None], object)))
    assert message(path) == ": damaged, or no .npz of arrays (Object arrays cannot be loaded when allow_pickle=False)."


@pytest.mark.parametrize("content", [b"", b"emotion,pixels,Usage\n", b"\x93NUMPY\x01\x00", b"\x80\x05N."])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "faces.npz").write_bytes(content)
    assert message(tmp_path / "faces.npz") == ": damaged, or no .npz of arrays (File is not a zip file)."


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "faces.npz", "w") as file:
        file.writestr("readme.txt", "no arrays here")
    assert message(tmp_path / "faces.npz") == ": expected the arrays images, label, usage, received readme.txt."


def test_an_absent_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert message(tmp_path / "faces.npz") == ": cannot be read (No such file or directory)."
    assert message(tmp_path) == ": cannot be read (Is a directory)."


def test_the_kind_of_arrays_is_in_the_message(tmp_path: Path) -> None:
    path = npz(tmp_path / "faces.npz", columns())
    assert message(path, Masks).startswith(": expected the arrays clean_exact, clean_near, constant, ")


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_npz_gives_an_error_or_faces(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = io.BytesIO()
    np.savez(whole, **columns(images=np.zeros((0, 48, 48), "u1"), label=np.zeros(0, "u1"), usage=np.zeros(0, "u1")))
    content = bytearray(whole.getvalue())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2]))])
    with contextlib.suppress(InputError):
        Faces.load(path)


def test_a_bit_that_says_encrypted_is_damage_too(tmp_path: Path) -> None:
    path = npz(tmp_path / "faces.npz", columns())
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1  # in the file's own header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # in the directory
    path.write_bytes(content)
    assert "damaged, or no .npz of arrays (File " in message(path)


def test_arrays_of_a_split_are_checked_without_a_file() -> None:
    split = {"images": np.zeros((1, 48, 48, 1), "u1"), "label": np.zeros(1, "u1"), "row": np.zeros(1, "i4")}
    assert len(Split.checked(split, "split")) == 1
    with pytest.raises(InputError, match=r"^split, images: expected uint8 \(N, 48, 48, 1\), received list\."):
        Split.checked({**split, "images": [1]}, "split")
    with pytest.raises(InputError, match=r"^split, row: expected 0 to 2147483647, received -1\."):
        Split.checked({**split, "row": np.array([-1], "i4")}, "split")


def test_arrays_cannot_be_exchanged() -> None:
    faces = Faces(**columns())
    with pytest.raises(dataclasses.FrozenInstanceError):
        faces.label = faces.usage  # type: ignore[misc]

"""AffectNet as its authors give it out."""

from pathlib import Path

import numpy as np
import pytest

from components.fer.dataset import CONTEMPT, EXPRESSIONS
from components.fer.errors import InputError
from components.validate import affectnet
from components.validate.reader import read
from components.validate.splits import Rule
from tests.components.validate.photos import text, write_affectnet

LISTS = {
    "training.csv": {f"{number}/a{number}.jpg": number for number in range(11)},
    "validation.csv": {"1/b.jpg": 1, "7/b.jpg": 7},
}
TRAINING = Path("Manually_Annotated_file_lists") / "training.csv"


def test_faces_are_cropped_and_what_is_no_expression_is_left_out(tmp_path: Path) -> None:
    write_affectnet(tmp_path, LISTS)
    source = affectnet.read(str(tmp_path), 7)
    assert [EXPRESSIONS[label] for label in source.faces.label] == [
        *("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry"),
        "happy",
    ]
    assert source.left_out == {"contempt": 2, "none": 1, "uncertain": 1, "no face": 1}
    levels = source.faces.images.mean(axis=(1, 2))
    np.testing.assert_allclose(levels, [10, 20, 30, 40, 50, 60, 70, 120], atol=3)  # the face fills the image
    assert source.faces.usage.tolist() == [0] * 7 + [2]


def test_contempt_is_kept_where_eight_expressions_are_asked_for(tmp_path: Path) -> None:
    write_affectnet(tmp_path, LISTS)
    source = read(str(tmp_path), "", Rule("random", 0.6), expressions=8)
    assert (source.faces.label == CONTEMPT).sum() == 2
    assert source.left_out == {"none": 1, "uncertain": 1, "no face": 1}


def test_a_tenth_of_its_training_images_becomes_public_test(tmp_path: Path) -> None:
    training = {f"1/{number}.jpg": number % 7 for number in range(21)}
    write_affectnet(tmp_path, {"training.csv": training, "validation.csv": {"1/b.jpg": 1}})
    assert np.bincount(read(str(tmp_path), "").faces.usage).tolist() == [19, 2, 1]


@pytest.mark.parametrize(
    "row",
    [
        "1/a.jpg,0,0,40,40,,11,0,0",
        "1/a.jpg,0,0,40,40,,,0,0",
        "1/a.jpg,0,0,0,40,,1,0,0",
        "1/a.jpg,0,0,-40,40,,1,0,0",
        "1/a.jpg,0,0,inf,40,,1,0,0",
        "1/a.jpg,nan,0,40,40,,1,0,0",
        "1/a.jpg,NULL,0,40,40,,1,0,0",
        "../a.jpg,0,0,40,40,,1,0,0",
        "/etc/a.jpg,0,0,40,40,,1,0,0",
        "1/a.jpg",
    ],
)
def test_a_row_of_another_form_is_told_by_its_line(row: str, tmp_path: Path) -> None:
    write_affectnet(tmp_path, LISTS)
    with (tmp_path / TRAINING).open("a") as file:
        file.write(f"{row}\n")
    with pytest.raises(InputError) as caught:
        read(str(tmp_path), "")
    fault, mend = str(caught.value).splitlines()[1:]
    assert fault.startswith(f"  {TRAINING}, line 13: expected a path, the box of a face in pixels, and an expression")
    assert repr(row.split(",")[0]) in fault
    assert mend == affectnet.MEND


def test_a_missing_photograph_is_named(tmp_path: Path) -> None:
    write_affectnet(tmp_path, LISTS)
    (tmp_path / "Manually_Annotated_Images" / "2" / "a2.jpg").unlink()
    with pytest.raises(InputError, match=r"Manually_Annotated_Images/2/a2.jpg: expected a photograph .* nothing"):
        read(str(tmp_path), "")


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    write_affectnet(tmp_path, {"training.csv": LISTS["training.csv"]})
    with pytest.raises(InputError, match=r"validation.csv: expected AffectNet's list, found none"):
        read(str(tmp_path), "")


def test_a_list_without_a_column_is_told(tmp_path: Path) -> None:
    write_affectnet(tmp_path, LISTS)
    text(tmp_path / TRAINING, "subDirectory_filePath,face_x\n")
    with pytest.raises(InputError, match=r"training.csv, line 1: expected a column face_y, found none"):
        read(str(tmp_path), "")


def test_a_list_that_is_no_csv_is_told(tmp_path: Path) -> None:
    write_affectnet(tmp_path, LISTS)
    with (tmp_path / TRAINING).open("a") as file:
        file.write("a" * 200_000)  # longer than a field may be
    with pytest.raises(InputError, match=r"training.csv, line 13: expected a csv \(field larger"):
        read(str(tmp_path), "")

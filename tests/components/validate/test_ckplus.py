"""CK+ as its authors give it out, and as ckextended.csv."""

from pathlib import Path

import numpy as np
import pytest

from components.fer.dataset import CONTEMPT, EXPRESSIONS
from components.fer.errors import InputError
from components.validate import ckplus
from components.validate.reader import read
from components.validate.splits import Rule
from tests.components.validate.bad.make import HEADER, PIXELS, ROWS
from tests.components.validate.photos import text, write_ckplus

FRAMES = {f"S{number:03d}_001_00000011": number for number in range(1, 8)}


def test_the_last_frames_are_cropped_to_their_faces_and_contempt_is_left_out(tmp_path: Path) -> None:
    write_ckplus(tmp_path, FRAMES)
    source = ckplus.read(str(tmp_path), 7)
    assert [EXPRESSIONS[label] for label in source.faces.label] == [
        *("angry", "disgust", "fear", "happy", "sad", "surprise")
    ]
    assert source.left_out == {"contempt": 1}
    assert source.faces.images[:, 12:36, 12:36].mean(axis=(1, 2)).round().tolist() == [10, 30, 40, 50, 60, 70]
    assert (source.faces.images[:, 4:44, 4:44] > 5).all()  # the face fills the image


def test_contempt_is_kept_where_eight_expressions_are_asked_for(tmp_path: Path) -> None:
    write_ckplus(tmp_path, FRAMES)
    source = ckplus.read(str(tmp_path), 8)
    assert source.faces.label.tolist() == [0, CONTEMPT, 1, 2, 3, 4, 5]
    assert source.left_out == {}


def test_frames_without_an_emotion_are_no_part_of_it(tmp_path: Path) -> None:
    write_ckplus(tmp_path, FRAMES)
    (tmp_path / "Emotion" / "S003" / "001" / "S003_001_00000011_emotion.txt").unlink()
    assert len(ckplus.read(str(tmp_path), 7).faces) == 5


def test_its_split_is_random_by_seed(tmp_path: Path) -> None:
    write_ckplus(tmp_path, {f"S{number:03d}_001_00000011": 1 + 4 * (number % 2) for number in range(1, 21)})
    source = read(str(tmp_path), "", Rule(test_share=0.4, seed=3))
    assert np.bincount(source.faces.usage).tolist() == [12, 4, 4]
    assert np.bincount(source.faces.label[source.faces.usage == 0]).max() == 6
    again = read(str(tmp_path), "", Rule(test_share=0.4, seed=4))
    assert (again.faces.usage != source.faces.usage).any()
    assert again.md5 == source.md5


@pytest.mark.parametrize("folder", ["Emotion", "Landmarks"])
def test_what_is_not_unpacked_is_named(folder: str, tmp_path: Path) -> None:
    write_ckplus(tmp_path, FRAMES)
    (tmp_path / folder).rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=f"expected the folder {folder} beside cohn-kanade-images, found none"):
        read(str(tmp_path), "")


def test_faults_are_told_by_file(tmp_path: Path) -> None:
    write_ckplus(tmp_path, FRAMES)
    text(tmp_path / "Emotion" / "S001" / "001" / "S001_001_00000011_emotion.txt", "   8.0e+00\n")
    text(tmp_path / "Emotion" / "S003" / "001" / "S003_001_00000011_emotion.txt", "happy\n")
    text(tmp_path / "Landmarks" / "S004" / "001" / "S004_001_00000011_landmarks.txt", "1 2\n3\n")
    text(tmp_path / "Landmarks" / "S005" / "001" / "S005_001_00000011_landmarks.txt", "900 900\n950 950\n")
    (tmp_path / "Landmarks" / "S006" / "001" / "S006_001_00000011_landmarks.txt").unlink()
    with pytest.raises(InputError) as caught:
        read(str(tmp_path), "")
    assert str(caught.value).splitlines() == [
        f"data set {tmp_path}: 5 faults:",
        "  Emotion/S001/001/S001_001_00000011_emotion.txt: expected a number from 0 to 7, received something else",
        "  Emotion/S003/001/S003_001_00000011_emotion.txt: expected a number from 0 to 7, received something else",
        (
            "  Landmarks/S004/001/S004_001_00000011_landmarks.txt: expected two numbers for each point of the face, "
            "received something else"
        ),
        (
            "  Landmarks/S006/001/S006_001_00000011_landmarks.txt: expected two numbers for each point of the face, "
            "received nothing"
        ),
        (
            "  cohn-kanade-images/S005/001/S005_001_00000011.png: expected a photograph of a face (PNG or JPEG), "
            "received one of 120 x 90 with the face beyond its edge"
        ),
        "Unpack CK+ again: cohn-kanade-images, Emotion and Landmarks side by side.",
    ]


def test_ckextended_is_the_official_csv_with_contempt_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ckextended.csv"
    path.write_text("\n".join([HEADER, ROWS[0], f"7,{PIXELS},Training", *ROWS[1:], f"7,{PIXELS},PrivateTest", ""]))
    source = read(str(path), "")
    assert source.left_out == {"contempt": 2}
    assert (source.faces.label.tolist(), source.faces.usage.tolist()) == ([3, 0, 6], [0, 1, 2])
    source = read(str(path), "", expressions=8)
    assert (source.faces.label.tolist(), source.left_out) == ([3, CONTEMPT, 0, 6, CONTEMPT], {})


def test_an_eighth_expression_in_any_other_csv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join([HEADER, *ROWS, f"7,{PIXELS},Training", ""]))
    with pytest.raises(InputError, match="line 5, column emotion: expected an integer from 0 to 6, received '7'"):
        read(str(path), "")

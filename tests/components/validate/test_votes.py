"""FER2013 with the labels that most of FER+'s ten people give."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from components.fer.dataset import CONTEMPT
from components.fer.errors import InputError
from components.fer.ferplus import VOTES
from components.validate.reader import read
from components.validate.splits import Rule
from tests.components.validate.bad.make import HEADER

USAGES = ("Training", "Training", "Training", "Training", "PublicTest", "PrivateTest")

SAID: tuple[Mapping[str, int], ...] = (
    {"happiness": 6, "neutral": 4},
    {"contempt": 9, "anger": 1},
    {"sadness": 5, "fear": 5},
    {"NF": 10},
    {"surprise": 8, "unknown": 2},
    {"neutral": 7},
)
"""Votes for six images, all of which FER2013 labels as happy."""


@pytest.fixture
def fer2013(tmp_path: Path) -> str:
    lines = [f"3,{' '.join([str(10 * row)] * 2304)},{usage}" for row, usage in enumerate(USAGES)]
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join([HEADER, *lines, ""]))
    return str(path)


def votes(folder: Path, usages: tuple[str, ...] = USAGES) -> str:
    lines = [
        f"{usage},name,{','.join(str(said.get(name, 0)) for name in VOTES)}"
        for usage, said in zip(usages, SAID, strict=False)
    ]
    path = folder / "fer2013new.csv"
    path.write_text("\n".join([f"Usage,Image name,{','.join(VOTES)}", *lines, ""]))
    return str(path)


def test_the_majority_is_the_label_and_images_without_one_are_left_out(fer2013: str, tmp_path: Path) -> None:
    source = read(fer2013, "", expressions=8, ferplus=votes(tmp_path))
    faces = source.faces
    assert faces.images[:, 0, 0].tolist() == [0, 10, 40, 50]
    assert faces.label.tolist() == [3, CONTEMPT, 5, 6]
    assert faces.label.dtype == np.uint8
    assert faces.usage.tolist() == [0, 0, 1, 2]
    assert source.left_out == {"no majority": 1, "not a face": 1}


def test_contempt_is_left_out_of_seven_expressions(fer2013: str, tmp_path: Path) -> None:
    source = read(fer2013, "", ferplus=votes(tmp_path))
    assert source.faces.label.tolist() == [3, 5, 6]
    assert source.left_out == {"contempt": 1, "no majority": 1, "not a face": 1}


def test_a_random_split_is_drawn_from_what_the_votes_have_kept(fer2013: str, tmp_path: Path) -> None:
    faces = read(fer2013, "", Rule("random", 0.5), 8, votes(tmp_path)).faces
    assert sorted(faces.usage.tolist()) == [0, 0, 1, 2]


def test_the_csv_s_own_labels_are_of_seven_expressions(fer2013: str) -> None:
    with pytest.raises(InputError, match=r"expected labels of 8 expressions \(validate\.expressions\)") as caught:
        read(fer2013, "", expressions=8)
    assert "Set data.ferplus to FER+'s votes" in str(caught.value)


@pytest.mark.parametrize(
    ("usages", "fault"),
    [
        (USAGES[:5], "expected 6 rows as in the data set, received 5"),
        (USAGES[::-1], "row 1 is of PrivateTest, in the data set of Training"),
    ],
    ids=["fewer", "another order"],
)
def test_votes_for_other_data_are_refused(fer2013: str, tmp_path: Path, usages: tuple[str, ...], fault: str) -> None:
    with pytest.raises(InputError, match=fault) as caught:
        read(fer2013, "", expressions=8, ferplus=votes(tmp_path, usages))
    assert "data.ferplus" in str(caught.value)

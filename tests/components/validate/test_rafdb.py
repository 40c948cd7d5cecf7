"""RAF-DB as its authors give it out."""

from pathlib import Path

import numpy as np
import pytest

from components.fer.dataset import EXPRESSIONS
from components.fer.errors import InputError
from components.validate import rafdb
from components.validate.reader import read
from components.validate.splits import Rule
from tests.components.validate.photos import text, write_rafdb

IMAGES = {f"train_{number:05d}.jpg": number for number in range(1, 8)} | {"test_0001.jpg": 4, "test_0002.jpg": 7}


def test_its_labels_and_images_are_read_in_the_order_of_its_list(tmp_path: Path) -> None:
    write_rafdb(tmp_path, IMAGES)
    source = rafdb.read(str(tmp_path), 7)
    assert [EXPRESSIONS[label] for label in source.faces.label] == [
        *("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"),
        *("happy", "neutral"),
    ]
    assert source.faces.images.shape == (9, 48, 48)
    assert source.faces.images.mean(axis=(1, 2)).round().tolist() == list(range(10, 91, 10))
    assert source.faces.usage.tolist() == [0] * 7 + [2] * 2
    assert source.layout == "rafdb"


def test_a_tenth_of_its_training_images_becomes_public_test(tmp_path: Path) -> None:
    write_rafdb(tmp_path, {f"train_{number:05d}.jpg": 4 for number in range(20)} | {"test_0001.jpg": 4})
    one, other = (read(str(tmp_path), "", Rule(seed=seed)).faces.usage for seed in (1, 2))
    assert np.bincount(one).tolist() == np.bincount(other).tolist() == [18, 2, 1]
    assert one[-1] == other[-1] == 2
    assert (one != other).any()


def test_faults_are_told_by_line_and_file(tmp_path: Path) -> None:
    write_rafdb(tmp_path, IMAGES)
    (tmp_path / "Image" / "aligned" / "train_00002_aligned.jpg").unlink()
    (tmp_path / "Image" / "aligned" / "train_00003_aligned.jpg").write_bytes(b"no image")
    with (tmp_path / rafdb.LIST).open("a") as file:
        file.write("val_00001.jpg 3\ntrain_00008.jpg 8\n")
    with pytest.raises(InputError) as caught:
        read(str(tmp_path), "")
    assert str(caught.value).splitlines() == [
        f"data set {tmp_path}: 4 faults:",
        (
            "  EmoLabel/list_patition_label.txt, line 10: expected train_NUMBER.jpg or test_NUMBER.jpg and a label "
            "from 1 to 7, received 'val_00001.jpg 3'"
        ),
        (
            "  EmoLabel/list_patition_label.txt, line 11: expected train_NUMBER.jpg or test_NUMBER.jpg and a label "
            "from 1 to 7, received 'train_00008.jpg 8'"
        ),
        "  Image/aligned/train_00002_aligned.jpg: expected a photograph of a face (PNG or JPEG), received nothing",
        (
            "  Image/aligned/train_00003_aligned.jpg: expected a photograph of a face (PNG or JPEG), received a file "
            "that is damaged or no image"
        ),
        "Unpack RAF-DB again: EmoLabel and Image/aligned of its folder basic.",
    ]


def test_a_list_in_no_text_is_told(tmp_path: Path) -> None:
    text(tmp_path / rafdb.LIST, "")
    (tmp_path / rafdb.LIST).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"line 1: expected train_NUMBER.jpg"):
        read(str(tmp_path), "")

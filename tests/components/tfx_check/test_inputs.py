"""Inputs that do not fit each other are refused by name."""

import json
from pathlib import Path

import numpy as np
import pytest

from components.fer.dataset import Masks, Predictions
from components.fer.errors import InputError
from components.fer.ferplus import VOTES
from components.model_store.versions import Version
from components.push_model import outcome
from components.tfx_check import inputs
from components.tfx_check.inputs import Answers

VERSION = Version("0001-00000000", "models/fer/versions/0001-00000000")


def masks(count: int) -> Masks:
    no = np.zeros(count, bool)
    return Masks(~no, ~no, no, no, np.arange(count, dtype=np.int32), np.zeros(count, np.float32))


def predictions(folder: Path, usage: list[int]) -> Path:
    count = len(usage)
    answers = np.full((count, 7), 0.1, np.float32)
    answers[:, 3] = 0.4
    label = np.full(count, 3, np.uint8)
    stored = Predictions(np.arange(count, dtype=np.int32), label, np.array(usage, np.uint8), answers)
    stored.save(folder / "predictions.npz")
    return folder / "predictions.npz"


def test_answers_are_parted_by_usage(tmp_path: Path) -> None:
    public, private = inputs.read_answers(predictions(tmp_path, [1, 2, 1]), masks(3), Path("masks.npz"))
    assert (public.row.tolist(), private.row.tolist()) == ([0, 2], [1])
    assert public.right.all()


def test_masks_of_a_smaller_data_set_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"masks masks\.npz: expected an entry for each image up to row 2, found 2"):
        inputs.read_answers(predictions(tmp_path, [1, 2, 1]), masks(2), Path("masks.npz"))


def test_predictions_without_public_test_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected PublicTest images, found none"):
        inputs.read_answers(predictions(tmp_path, [2]), masks(1), Path("masks.npz"))


@pytest.mark.parametrize("blessed", [True, False])
def test_the_gate_s_blessing_is_read_as_it_was_written(tmp_path: Path, blessed: bool) -> None:
    outcome.bless(tmp_path / "blessing", blessed, VERSION, None)
    assert inputs.is_blessed(tmp_path / "blessing") == blessed


@pytest.mark.parametrize("change", ["both", "neither", "properties"])
def test_a_blessing_that_contradicts_itself_is_refused(tmp_path: Path, change: str) -> None:
    folder = tmp_path / "blessing"
    outcome.bless(folder, False, VERSION, None)
    match change:
        case "both":
            (folder / "BLESSED").touch()
        case "neither":
            (folder / "NOT_BLESSED").unlink()
        case "properties":
            (folder / "properties.json").write_text('{"blessed": 1}')
    with pytest.raises(InputError, match="expected one file BLESSED or NOT_BLESSED and properties that agree"):
        inputs.is_blessed(folder)


def votes(folder: Path, usages: list[str]) -> str:
    lines = [f"{usage},name,{','.join('10' if name == 'fear' else '0' for name in VOTES)}" for usage in usages]
    path = folder / "votes.csv"
    path.write_text("\n".join([f"Usage,Image name,{','.join(VOTES)}", *lines]) + "\n")
    return str(path)


PUBLIC = Answers(np.array([1], np.int32), np.array([2], np.uint8), np.zeros((1, 7), np.float32))


def test_votes_give_the_certainty_of_each_row(tmp_path: Path) -> None:
    found = inputs.read_certainty(votes(tmp_path, ["Training", "PublicTest"]), 2, PUBLIC)
    assert found is not None
    assert found.tolist() == ["clear", "clear"]
    assert inputs.read_certainty("", 2, PUBLIC) is None


@pytest.mark.parametrize(
    ("usages", "fault"),
    [
        (["Training"], "expected 2 rows as in the data set, received 1"),
        (["PublicTest", "Training"], "expected PublicTest where the data set has it"),
    ],
    ids=["fewer", "another order"],
)
def test_votes_for_other_data_are_refused(tmp_path: Path, usages: list[str], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        inputs.read_certainty(votes(tmp_path, usages), 2, PUBLIC)


def test_what_is_no_votes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="expected columns Usage and neutral"):
        inputs.read_certainty(str(tmp_path / "votes.csv"), 1, PUBLIC)
    with pytest.raises(InputError, match="No such file"):
        inputs.read_certainty(str(tmp_path / "none.csv"), 1, PUBLIC)


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"name": "fer"})])
def test_a_tree_without_what_it_needs_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "version.json").write_text(content)
    with pytest.raises(InputError, match=r"version .*version\.json: expected"):
        inputs.read_tree(tmp_path / "version.json", "version", "name", "version")

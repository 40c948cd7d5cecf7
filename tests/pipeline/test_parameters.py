"""params.yaml is read into typed, checked values."""

from pathlib import Path

import pytest

from components.fer.errors import InputError
from pipeline import parameters
from pipeline.parameters import Parameters, Sections


def write(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text)
    return path


def test_sections_become_prefixes(tmp_path: Path) -> None:
    path = write(tmp_path, "training:\n  seed: 3\nhybrid:\n  epochs: 2\n")
    assert parameters.read(path) == {"training__seed": 3, "hybrid__epochs": 2}
    assert parameters.dotted("training__batch_norm_momentum") == "training.batch_norm_momentum"


def test_a_whole_number_is_a_float_where_the_stage_takes_one(tmp_path: Path) -> None:
    (value,) = parameters.read(write(tmp_path, "training:\n  rotation: 10\n")).values()
    assert (value, type(value)) == (10.0, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "training:\n  epoch: 3\n",
            "parameters {path}: training.epoch: no stage has such a parameter.\nDid you mean epochs?",
        ),
        (
            "hybrid:\n  epochs: 0\n",
            (
                "parameters {path}: hybrid.epochs: passes over the training split. "
                "Input should be greater than 0. Received: 0"
            ),
        ),
        (
            "hybrid:\n  branches: TX\n",
            (
                "parameters {path}: hybrid.branches: which extractor trains: F frozen, T trained; "
                "first backbone first. Input should be 'FF', 'FT', 'TF' or 'TT'. Received: 'TX'"
            ),
        ),
        (
            "hybrid:\n  epochs: true\n",
            "parameters {path}: hybrid.epochs: passes over the training split. Received: True",
        ),
        ("training:\n  model_keras: x\n", "parameters {path}: training.model_keras: no stage has such a parameter."),
        ("just text", "parameters {path}: expected sections of `key: value` lines."),
    ],
)
def test_a_fault_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as error:
        parameters.read(path)
    assert str(error.value) == message.format(path=path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a file, found none"):
        parameters.read(tmp_path / "params.yaml")


def test_no_yaml(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected YAML"):
        parameters.read(write(tmp_path, "a: [1,\n"))


def test_graph_and_schedule_are_no_parameters(tmp_path: Path) -> None:
    path = write(tmp_path, "graph: single\ntraining:\n  seed: 3\nschedule:\n  cron: 0 0 3 * * 1\n")
    assert parameters.read(path) == {"training__seed": 3}
    assert parameters.graph(path) == "single"
    assert parameters.graph(write(tmp_path, "training:\n  seed: 3\n")) == "hybrid"


def test_sections_remember_what_was_asked_for() -> None:
    values = Sections({"training__seed": 1, "hybrid__epochs": 2, "extra__seed": 3})
    assert values("training", "hybrid") == {"seed": 1, "epochs": 2}
    assert values.unused == ["extra__seed"]
    assert values.having({"extra__seed": 4})("extra") == {"seed": 4}
    assert values.unused == []


VALUES: Parameters = {"training__seed": 3, "training__flip": True, "hybrid__branches": "TT", "training__rotation": 5.0}


def test_values_are_replaced_by_what_text_spells() -> None:
    changes = {"training.seed": "4", "training.flip": "false", "hybrid.branches": "FF", "training.rotation": "2"}
    found = parameters.replaced(VALUES, changes, "--set")
    assert found == {
        "training__seed": 4,
        "training__flip": False,
        "hybrid__branches": "FF",
        "training__rotation": 2.0,
    }
    assert [type(value) for value in found.values()] == [int, bool, str, float]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "training.sed",
            "4",
            "--set: training.sed: this graph has no such parameter.\nDid you mean training.seed?",
        ),
        ("x", "4", "--set: x: this graph has no such parameter.\nparams.yaml has all of them."),
        (
            "training.flip",
            "maybe",
            "--set: training.flip: mirror half of the images. Received: 'maybe'",
        ),
        (
            "hybrid.branches",
            "TX",
            (
                "--set: hybrid.branches: which extractor trains: F frozen, T trained; first backbone first. "
                "Input should be 'FF', 'FT', 'TF' or 'TT'. Received: 'TX'"
            ),
        ),
    ],
)
def test_a_faulty_replacement_is_named(name: str, value: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        parameters.replaced(VALUES, {name: value}, "--set")
    assert str(error.value) == message

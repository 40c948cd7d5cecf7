"""train-backbone: by argv alone, on either backend, from either form of the data set."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from components.fer import models, prepared, stage
from components.fer.dataset import Faces
from components.train_backbone.__main__ import main
from components.train_backbone.config import Config
from tests.components import training_argv
from tests.components.fer.conftest import small_recipe
from tests.components.training_argv import few_splits, run, write_few


def argv(data: Path, folder: Path, **changes: object) -> list[str]:
    """Options of a training of a small network as a whole, from random weights."""
    return training_argv.argv(
        data, folder, **{"architecture": "resnet_small", "weights": "none", "freeze": "none", **changes}
    )


@pytest.mark.slow
def test_pickle_and_tfrecord_train_the_same_model(made: Faces, tmp_path: Path) -> None:
    prepared.write_tfrecord(few_splits(made), tmp_path / "tfrecord", shards=2)
    histories = []
    for data in (write_few(made, tmp_path), tmp_path / "tfrecord"):
        folder = tmp_path / f"from_{data.name}"
        done = run("train_backbone", argv(data, folder))
        assert done.returncode == 0, done.stderr
        with (folder / "history_csv").open() as file:
            histories.append([{**row, "seconds": ""} for row in csv.DictReader(file)])
        summary = json.loads((folder / "metrics_json").read_text())
        assert summary["public"]["accuracy"] == float(histories[-1][0]["val_accuracy"])
    assert histories[0] == histories[1]


@pytest.mark.slow
def test_jax_trains_too(made: Faces, tmp_path: Path) -> None:
    prepared.write_tfrecord(few_splits(made), tmp_path / "tfrecord", shards=1)
    done = run("train_backbone", argv(tmp_path / "tfrecord", tmp_path / "out", backend="jax"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "model_keras").stat().st_size > 0


@pytest.mark.slow
def test_a_frozen_training_and_one_of_the_whole_from_there(made: Faces, tmp_path: Path) -> None:
    """S2's two steps."""
    data = write_few(made, tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    steps: dict[Path, dict[str, object]] = {
        first: {"freeze": "all"},
        second: {"start_keras": first / "model_keras", "learning_rate": 1e-9},
    }
    summaries = {}
    for folder, changes in steps.items():
        done = run("train_backbone", argv(data, folder, **changes))
        assert done.returncode == 0, done.stderr
        summaries[folder] = json.loads((folder / "metrics_json").read_text())
    frozen, whole = (summaries[folder]["trainable_parameters"] for folder in steps)
    assert frozen == (256 + 1) * 16 + (16 + 1) * 8 + (8 + 1) * 7
    assert whole > 1_900_000
    start, end = (models.load(folder / "model_keras") for folder in steps)
    for before, after in zip(
        start.trainable_weights, end.trainable_weights[-len(start.trainable_weights) :], strict=True
    ):
        assert np.allclose(before, after, atol=1e-5)  # it went on from there, and by next to nothing


def test_a_start_with_another_head(made: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = tmp_path / "start"
    extractor = models.extractor("resnet_small", 32, "none", 0.9)
    models.save(models.single(small_recipe(dense_1=4), extractor), start)
    options = argv(write_few(made, tmp_path), tmp_path / "out", start_keras=start)
    with pytest.raises(SystemExit) as ended:
        stage.run(main, Config, options)
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        f"model {start}: expected the architecture and the head of this training (kernel (256, 16)), "
        "received kernel (256, 4).\n"
        "Set architecture, head, dense_1 and dense_2 as they were in the training that is the start.\n"
    )
    assert not (tmp_path / "out").exists()


def test_teachers_are_an_artifact_and_files_that_have_names(tmp_path: Path) -> None:
    options = argv(tmp_path / "prepared.pickle", tmp_path, teachers="one, other", teacher_keras=tmp_path / "teacher")
    assert stage.parse(Config, options).teacher_paths() == [Path("one"), Path("other"), tmp_path / "teacher"]


def test_a_teacher_that_is_no_model(made: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    teacher = tmp_path / "teacher"
    teacher.write_bytes(b"no model")
    with pytest.raises(SystemExit) as ended:
        stage.run(main, Config, argv(write_few(made, tmp_path), tmp_path / "out", teacher_keras=teacher))
    assert ended.value.code == 1
    assert f"model {teacher}: expected a Keras model" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_weights_that_are_not_there(made: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = argv(write_few(made, tmp_path), tmp_path / "out", architecture="mobilenet_v2", weights=tmp_path)
    with pytest.raises(SystemExit) as ended:
        stage.run(main, Config, options)
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        f"weights folder {tmp_path}: expected a file mobilenet_v2*1.0_224_no_top*.h5, found none.\n"
        "Set weights to imagenet (Keras downloads them), to none, or to the folder that has the file.\n"
    )
    assert not (tmp_path / "out").exists()


def test_published_weights_of_a_network_that_has_none(
    made: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = argv(write_few(made, tmp_path), tmp_path / "out", architecture="vgg_small", weights="imagenet")
    with pytest.raises(SystemExit) as ended:
        stage.run(main, Config, options)
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "weights of vgg_small: expected none (it has no published weights), received imagenet.\n"
        "Set weights: none for this backbone.\n"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("dropout", 1.5), ("learning_rate", "inf"), ("mixup", "nan"), ("seed", 2**32), ("epochs", 0), ("ema", 1.0)],
)
def test_a_wrong_value_is_a_wrong_usage(
    name: str, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = argv(tmp_path / "prepared.pickle", tmp_path, **{name: value})
    with pytest.raises(SystemExit) as ended:
        stage.run(main, Config, options)
    assert ended.value.code == 2
    assert name in capsys.readouterr().err.replace("-", "_")

"""train-backbone: by argv alone, on either backend, from either form of the data set."""

import csv
import json
from pathlib import Path

import pytest

from components.fer import prepared, stage
from components.fer.dataset import Faces
from components.train_backbone.__main__ import main
from components.train_backbone.config import Config
from tests.components.training_argv import argv, few_splits, run, write_few


@pytest.mark.slow
def test_pickle_and_tfrecord_train_the_same_model(made: Faces, tmp_path: Path) -> None:
    prepared.write_tfrecord(few_splits(made), tmp_path / "tfrecord", shards=2)
    histories = []
    for data in (write_few(made, tmp_path), tmp_path / "tfrecord"):
        folder = tmp_path / f"from_{data.name}"
        done = run("train_backbone", argv(data, folder, architecture="resnet_small", weights="none"))
        assert done.returncode == 0, done.stderr
        with (folder / "history_csv").open() as file:
            histories.append([{**row, "seconds": ""} for row in csv.DictReader(file)])
        summary = json.loads((folder / "metrics_json").read_text())
        assert summary["public"]["accuracy"] == float(histories[-1][0]["val_accuracy"])
    assert histories[0] == histories[1]


@pytest.mark.slow
def test_jax_trains_too(made: Faces, tmp_path: Path) -> None:
    prepared.write_tfrecord(few_splits(made), tmp_path / "tfrecord", shards=1)
    changes = {"architecture": "resnet_small", "weights": "none", "backend": "jax"}
    done = run("train_backbone", argv(tmp_path / "tfrecord", tmp_path / "out", **changes))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "model_keras").stat().st_size > 0


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


def test_a_wrong_value_is_a_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = argv(tmp_path / "prepared.pickle", tmp_path, architecture="vgg_small", weights="none", dropout=1.5)
    with pytest.raises(SystemExit) as ended:
        stage.run(main, Config, options)
    assert ended.value.code == 2
    assert "dropout" in capsys.readouterr().err

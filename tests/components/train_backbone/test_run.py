"""train-backbone as a process: by argv alone, on either backend, from either form of the data set."""

import csv
import json
from pathlib import Path

import pytest

from components.fer import prepared
from components.fer.dataset import Faces
from tests.components.training_argv import few_splits, run, write_few

pytestmark = pytest.mark.slow


def test_pickle_and_tfrecord_train_the_same_model(made: Faces, tmp_path: Path) -> None:
    prepared.write_tfrecord(few_splits(made), tmp_path / "tfrecord", shards=2)
    histories = []
    for data in (write_few(made, tmp_path), tmp_path / "tfrecord"):
        folder = tmp_path / f"from_{data.name}"
        done = run("train_backbone", data, folder, architecture="resnet_small", weights="none")
        assert done.returncode == 0, done.stderr
        with (folder / "history_csv").open() as file:
            histories.append([{**row, "seconds": ""} for row in csv.DictReader(file)])
        summary = json.loads((folder / "metrics_json").read_text())
        assert summary["public"]["accuracy"] == float(histories[-1][0]["val_accuracy"])
    assert histories[0] == histories[1]


def test_jax_trains_too(made: Faces, tmp_path: Path) -> None:
    prepared.write_tfrecord(few_splits(made), tmp_path / "tfrecord", shards=1)
    changes = {"architecture": "resnet_small", "weights": "none", "backend": "jax"}
    done = run("train_backbone", tmp_path / "tfrecord", tmp_path / "out", **changes)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "model_keras").stat().st_size > 0


def test_weights_that_are_not_there(made: Faces, tmp_path: Path) -> None:
    changes = {"architecture": "mobilenet_v2", "weights": tmp_path}
    done = run("train_backbone", write_few(made, tmp_path), tmp_path / "out", **changes)
    assert done.returncode == 1
    assert done.stderr == (
        f"weights folder {tmp_path}: expected a file mobilenet_v2*1.0_224_no_top*.h5, found none.\n"
        "Set weights to imagenet (Keras downloads them), to none, or to the folder that has the file.\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_wrong_value_is_a_wrong_usage(made: Faces, tmp_path: Path) -> None:
    done = run(
        "train_backbone", write_few(made, tmp_path), tmp_path, architecture="vgg_small", weights="none", dropout=1.5
    )
    assert done.returncode == 2
    assert "dropout" in done.stderr
    assert "Traceback" not in done.stderr

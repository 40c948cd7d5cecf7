"""Eight expressions from a prepared data set to an answer that is served: each part goes by the width that it finds."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components.evaluate.config import Config
from components.evaluate.run import run as evaluate
from components.fer import models, predict, prepared
from components.fer.dataset import CONTEMPT, EIGHT, SPLITS, Faces, Masks, Predictions, Prepared, Split, expressions_of
from components.fer.errors import InputError
from components.push_model import exported, gate, serving_check
from components.serve import observations, runtime
from components.serve.metrics import Metrics
from components.serve.model import Model
from pipeline import compare
from pipeline import predict as command
from pipeline.monitor.sample import Sample
from tests.components import training_argv
from tests.components.evaluate.conftest import KERAS
from tests.components.fer.conftest import small_recipe
from tests.components.push_model.test_gate import RULES

pytestmark = pytest.mark.slow

SMALL_NETWORK: Mapping[str, object] = {"architecture": "resnet_small", "weights": "none", "freeze": "none"}


@pytest.fixture(scope="module")
def data(made: Faces) -> Prepared:
    """The drawn faces, every eighth of which is said to show contempt."""
    label = np.where(np.arange(len(made)) % 8 == 7, CONTEMPT, made.label).astype(np.uint8)
    rows = {name: np.flatnonzero(made.usage == usage)[:64].astype(np.int32) for usage, name in enumerate(SPLITS)}
    return {name: Split(made.images[row, ..., None], label[row], row) for name, row in rows.items()}


@pytest.fixture(scope="module")
def trained(data: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data set, a backbone that the stage trained on it, and a hybrid of it with itself."""
    folder = tmp_path_factory.mktemp("eight")
    prepared.write_pickle(data, folder / "data")
    backbone = folder / "backbone" / "model_keras"
    hybrid = {"first_keras": backbone, "second_keras": backbone, "branches": "FF", "weights": "trained", "dense_1": 0}
    plain = {"dense_1": 0, "dense_2": 0}
    for stage, changes in (("train_backbone", {**SMALL_NETWORK, **plain}), ("train_hybrid", {**hybrid, **plain})):
        out = folder / stage.removeprefix("train_")
        done = training_argv.run(stage, training_argv.argv(folder / "data", out, **changes))
        assert done.returncode == 0, done.stderr
    assert "the classifier begins as the mean of the branches' own" in done.stderr
    return folder


def test_a_model_is_as_wide_as_its_data(trained: Path, data: Prepared) -> None:
    assert expressions_of(data) == 8
    for name in ("backbone", "hybrid"):
        assert models.load(trained / name / "model_keras").output_shape == (None, 8)


def test_a_model_of_seven_is_refused_for_data_of_eight(data: Prepared) -> None:
    seven = models.single(small_recipe(), models.extractor("resnet_small", 32, "none", 0.9))
    with pytest.raises(InputError, match=r"model seven: expected an answer of 8 expressions, .* received one of 7"):
        predict.predictions(seven, data, 1, Path("seven"))


@pytest.mark.filterwarnings(KERAS)
def test_evaluate_measures_and_shows_all_eight(trained: Path, data: Prepared, made: Faces, tmp_path: Path) -> None:
    count = len(made)
    yes, no = np.ones(count, bool), np.zeros(count, bool)
    Masks(yes, yes, no, no, np.arange(count, dtype=np.int32), np.zeros(count, np.float32)).save(tmp_path / "masks")
    (tmp_path / "audit").write_text("{}")
    (tmp_path / "poses").mkdir()
    Image.fromarray(made.images[0]).save(tmp_path / "poses" / "front.png")
    outputs = ("predictions_npz", "confusion_csv", "calibration_csv", "figures", "report_html")
    metrics_json = tmp_path / "results" / "evaluate-hybrid" / "metrics.json"
    evaluate(
        Config(
            data=trained / "data",
            masks_npz=tmp_path / "masks",
            audit_json=tmp_path / "audit",
            model_keras=trained / "hybrid" / "model_keras",
            history_csv=trained / "hybrid" / "history_csv",
            first_keras=trained / "backbone" / "model_keras",
            second_keras=trained / "backbone" / "model_keras",
            resamples=200,
            seed=1,
            ferplus="",
            views="flip",
            pictures="all",
            poses=str(tmp_path / "poses"),
            metrics_json=metrics_json,
            **{name: tmp_path / "out" / name for name in outputs},
        )
    )
    metrics = json.loads(metrics_json.read_text())
    assert [row["expression"] for row in metrics["public"]["per_class"]] == list(EIGHT)
    contempt = int((data["public"].label == CONTEMPT).sum())
    assert metrics["public"]["per_class"][CONTEMPT]["support"] == contempt > 0
    assert np.array(metrics["public"]["confusion"]).sum(axis=1)[CONTEMPT] == contempt
    assert set(EIGHT) < set(metrics["poses"][0])
    assert Predictions.load(tmp_path / "out" / "predictions_npz").probabilities.shape[1] == 8
    assert "contempt" in (tmp_path / "out" / "confusion_csv").read_text()
    page = (tmp_path / "out" / "report_html").read_text()
    assert "in eight classes" in page
    assert '<th scope="col">contempt</th>' in page
    training = metrics_json.parents[1] / "train-hybrid" / "metrics.json"
    training.parent.mkdir()
    training.write_text('{"seconds": 1}')
    tables = {table.title: table for table in compare.tables(compare.read(tmp_path / "results"))}
    assert tables["Recall on PublicTest in %"].headings == ("mean", *EIGHT)


def test_the_gate_asks_for_contempt_too(data: Prepared) -> None:
    label = np.tile(np.arange(8), 50)
    never = np.where(label == CONTEMPT, 0, label)
    images = gate.Images(label, np.arange(len(label)), 3)
    answers = np.eye(8, dtype=np.float32)
    verdict = gate.judge(answers[never], gate.Champion("0001", answers[label]), images, RULES)
    assert verdict.decision == "REJECT"
    assert any("recall of contempt 0.0 %" in reason for reason in verdict.reasons)


def test_what_serves_answers_as_many_as_the_model(trained: Path, data: Prepared, tmp_path: Path) -> None:
    path = trained / "backbone" / "model_keras"
    model = models.load(path)
    exported.saved_model(model, tmp_path / "saved_model")
    exported.light(model, tmp_path / "saved_model", tmp_path / runtime.NAME)
    answers = predict.predictions(model, data, 1, path).probabilities
    checks = serving_check.checks(tmp_path, data["public"], answers, "float32")
    assert all(check.passed for check in checks), checks
    light = runtime.Runtime(tmp_path / runtime.NAME)
    served = light.probabilities(data["public"].images)
    assert light.expressions == served.shape[1] == 8
    metadata: Any = Model(
        "fer", "0001-a", "0" * 32, light.probabilities, lambda _: data["public"].images[0], light.expressions
    ).metadata()
    assert metadata["outputs"][0]["shape"] == [-1, 8]
    assert metadata["parameters"]["labels"] == ",".join(EIGHT)
    counts = Metrics("fer", "0001-a", "0" * 32, light.expressions)
    counts.answered([CONTEMPT])
    assert 'ferflow_expressions_total{expression="contempt"} 1.0' in counts.text().decode()
    shown = command.table([command.Answered(Path("a.png"), None, served[0])])
    assert shown.split()[3:11] == list(EIGHT)
    noted = observations.of(data["public"].images, served, "0001-a")
    assert Sample.observed(noted).expressions == 8
    mixed = [noted[0], noted[1].model_copy(update={"probabilities": noted[1].probabilities[:7]})]
    with pytest.raises(InputError, match="expected those of one model, received answers of 7 and 8 expressions"):
        Sample.observed(mixed)


def test_a_teacher_has_to_know_as_many(data: Prepared, tmp_path: Path) -> None:
    from components.fer.targets import targets

    models.save(models.single(small_recipe(), models.extractor("resnet_small", 32, "none", 0.9)), tmp_path / "seven")
    recipe = small_recipe(teachers=str(tmp_path / "seven"))
    with pytest.raises(InputError, match="expected 8 probabilities an image"):
        targets(data["public"], recipe, 8)
    plain = replace(data["public"], label=np.zeros_like(data["public"].label))
    assert targets(plain, recipe, 7).shape == (len(plain), 14)

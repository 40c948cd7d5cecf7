import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components.evaluate.run import backbone_paths, history_paths, run
from components.fer import prepared
from components.fer.dataset import EXPRESSIONS, USAGES, Faces, Masks, Predictions, Prepared, Split
from components.fer.errors import InputError
from components.fer.ferplus import VOTES
from tests.components.evaluate.conftest import HISTORY, KERAS, configured, write_history


def test_trainings_are_named_by_their_fields(values: dict[str, Any]) -> None:
    assert list(history_paths(configured(values))) == ["model", "first", "second"]


def test_only_a_hybrid_has_backbones(values: dict[str, Any], tmp_path: Path) -> None:
    assert not backbone_paths(configured(values))
    hybrid = configured(values, first_keras=tmp_path / "a", second_keras=tmp_path / "b")
    assert backbone_paths(hybrid) == {"first": tmp_path / "a", "second": tmp_path / "b"}


@pytest.mark.parametrize(
    ("broken", "content", "message"),
    [
        ("masks_npz", b"no zip", "masks .*damaged"),
        ("audit_json", b"{", "audit .*expected JSON"),
        ("audit_json", b"[]", "audit .*expected a JSON object"),
        ("first_history_csv", b"", "history .*expected"),
        ("model_keras", b"no model", "model .*expected a Keras model"),
    ],
)
def test_a_broken_input_is_named_and_nothing_written(
    values: dict[str, Any], tmp_path: Path, broken: str, content: bytes, message: str
) -> None:
    (tmp_path / "broken").write_bytes(content)
    with pytest.raises(InputError, match=message):
        run(configured(values, **{broken: tmp_path / "broken"}))
    assert not (tmp_path / "out").exists()


def test_masks_of_a_smaller_data_set_are_refused(values: dict[str, Any], masks: Masks, tmp_path: Path) -> None:
    Masks(**{name: array[:600] for name, array in masks.columns().items()}).save(tmp_path / "masks")
    with pytest.raises(InputError, match="up to row 699, found 600"):
        run(configured(values))


def test_data_without_public_images_is_refused(values: dict[str, Any], data: Prepared, tmp_path: Path) -> None:
    empty = Split(**{name: array[:0] for name, array in data["public"].columns().items()})
    prepared.write_pickle({**data, "public": empty}, tmp_path / "data")
    with pytest.raises(InputError, match="expected Training and PublicTest images"):
        run(configured(values))


def test_votes_of_fer2013_are_refused_for_made_faces(values: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "votes").write_text(f"Usage,Image name,{','.join(VOTES)}\nTraining,a,10,0,0,0,0,0,0,0,0,0\n")
    with pytest.raises(InputError, match=r"expected 700 rows as in the data set, received 1"):
        run(configured(values, ferplus=str(tmp_path / "votes")))


@pytest.mark.slow
@pytest.mark.filterwarnings(KERAS)
def test_shuffled_labels_stop_the_stage_before_private_test_is_opened(
    values: dict[str, Any], data: Prepared, model_keras: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "ferflow")
    public = data["public"]
    shuffled = Split(public.images, np.roll(public.label, 1), public.row)
    prepared.write_pickle({**data, "public": shuffled}, tmp_path / "data")
    write_history(tmp_path / "history", HISTORY | {"val_accuracy": [0.3, 0.9, 0.6]})
    with pytest.raises(InputError, match=r"claims an accuracy of 90\.0 % on PublicTest .*: as if labels or images"):
        run(configured(values, model_keras=model_keras))
    assert not (tmp_path / "out").exists()
    assert not any("PrivateTest" in line for line in caplog.messages)


@pytest.mark.slow
@pytest.mark.filterwarnings(KERAS)
def test_labels_of_private_test_in_another_order_stop_the_stage_too(
    values: dict[str, Any], data: Prepared, model_keras: Path, tmp_path: Path
) -> None:
    """The model's own answers are the labels, so it is a good one; then those of PrivateTest are of another order."""
    from components.fer import models, predict

    model, sure = models.load(model_keras), dict[str, Split]()
    for index, (name, split) in enumerate(data.items()):
        answer = predict.predictions(model, data, index, model_keras).probabilities.argmax(axis=1).astype(np.uint8)
        sure[name] = Split(split.images, answer, split.row)
    prepared.write_pickle(sure, tmp_path / "data")
    run(configured(values, model_keras=model_keras))
    private = sure["private"]
    shuffled = Split(private.images, (private.label + 1) % 7, private.row)
    prepared.write_pickle({**sure, "private": shuffled}, tmp_path / "data")
    with pytest.raises(InputError, match=r"expected about the accuracy on PrivateTest that it has on PublicTest, 100"):
        run(configured(values, model_keras=model_keras))


@pytest.mark.slow
@pytest.mark.filterwarnings(KERAS)
def test_made_faces_from_model_to_report(
    made: Faces, values: dict[str, Any], model_keras: Path, tmp_path: Path
) -> None:
    (tmp_path / "poses").mkdir()
    Image.fromarray(made.images[0]).save(tmp_path / "poses" / "front.png")
    config = configured(
        values,
        **dict.fromkeys(("model_keras", "first_keras", "second_keras"), model_keras),
        **{"views": "flip", "pictures": "all", "poses": str(tmp_path / "poses")},
    )
    run(config)
    metrics = json.loads(config.metrics_json.read_text())
    private = metrics["private"]
    assert [private[form]["n"] for form in ("full", "clean_exact", "clean_near")] == [70, 69, 69]
    assert metrics["public"]["accuracy"] > 0.3, "a moment of training should beat guessing, 1 in 7"

    assert metrics["parameters"] == 8 * 10 + 16 * 73 + 32 * 257 + 7 * 33
    assert metrics["model_megabytes"] == pytest.approx(model_keras.stat().st_size / 2**20, abs=1e-6)
    same = {name: metrics["public"][name] for name in ("accuracy", "macro_f1")}
    same |= {"gained": 0, "lost": 0, "p_better": 1.0, "p_worse": 1.0}
    same |= dict.fromkeys(("macro_f1_gain", "macro_f1_gain_low", "macro_f1_gain_high"), 0.0)
    assert metrics["branches"] == {"first": same, "second": same}
    assert metrics["views"]["kind"] == "flip"
    assert [metrics["views"]["private"][form]["n"] for form in private] == [70, 69, 69]
    assert metrics["views"]["public"]["accuracy_low"] < metrics["views"]["public"]["accuracy_high"]
    (pose,) = metrics["poses"]
    assert pose["pose"] == "front"
    assert sum(pose[name] for name in EXPRESSIONS) == pytest.approx(1, abs=1e-4)

    predictions = Predictions.load(config.predictions_npz)
    assert predictions.row.dtype == np.int32
    assert predictions.probabilities.dtype == np.float32
    np.testing.assert_array_equal(predictions.label, made.label[predictions.row])
    np.testing.assert_array_equal(predictions.usage, made.usage[predictions.row])
    public = predictions.usage == USAGES.index("PublicTest")
    hits = (predictions.probabilities.argmax(axis=1) == predictions.label)[public]
    assert metrics["public"]["accuracy"] == pytest.approx(hits.mean(), abs=1e-6)

    with config.confusion_csv.open() as file:
        rows = list(csv.DictReader(file))
    assert sum(row["actual"] == row["predicted"] for row in rows) == hits.sum()
    with config.calibration_csv.open() as file:
        assert sum(int(row["count"]) for row in csv.DictReader(file)) == len(rows) == public.sum()
    for picture in ("learning_model", "features", "maps", "mistakes"):
        assert (config.figures / f"{picture}.svg").is_file()
    assert f'value="{private["full"]["accuracy"]}"' in config.report_html.read_text()

    first = {path: path.read_bytes() for path in config.metrics_json.parent.rglob("*") if path.is_file()}
    run(config)
    assert all(path.read_bytes() == content for path, content in first.items()), "a second run writes the same bytes"

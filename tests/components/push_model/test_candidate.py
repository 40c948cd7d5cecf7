"""Inputs that do not belong together are refused before anything is stored."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.fer.dataset import USAGES, Predictions, Prepared
from components.fer.errors import InputError
from components.push_model import candidate

MEND = "Write it again: dvc repro evaluate"


@pytest.fixture
def predictions(data: Prepared) -> Predictions:
    """Predictions for PublicTest, all of them right."""
    public = data["public"]
    usage = np.full(140, USAGES.index("PublicTest"), np.uint8)
    return Predictions(public.row, public.label, usage, np.eye(7, dtype=np.float32)[public.label])


@pytest.fixture
def inputs(tmp_path: Path, predictions: Predictions) -> dict[str, Path]:
    """Files as the stages before write them."""
    paths = {name: tmp_path / name for name in ("model", "metrics", "predictions", "audit")}
    paths["model"].write_text("weights")
    paths["metrics"].write_text('{"public": {"accuracy": 1.0}}')
    paths["audit"].write_text('{"source": {"md5": "f8428a1edbd21e88f42c73edd2a14f95"}}')
    predictions.save(paths["predictions"])
    return paths


def test_one_digest_stands_for_everything_that_is_pushed(inputs: dict[str, Path]) -> None:
    first = candidate.read(**inputs)
    assert candidate.read(**inputs).sha256 == first.sha256
    changes = {"model": "other", "metrics": '{"public": {"accuracy": 1}}', "audit": '{"source": {"md5": "0"}}'}
    for name, text in changes.items():
        before = inputs[name].read_bytes()
        inputs[name].write_text(text)
        assert candidate.read(**inputs).sha256 != first.sha256
        inputs[name].write_bytes(before)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model", None, "model {path}: no such file.\nTrain it: dvc repro"),
        ("metrics", None, "metrics {path}: no such file.\nWrite it: dvc repro"),
        ("audit", None, "audit {path}: no such file.\nWrite it: dvc repro"),
        (
            "metrics",
            "{",
            (
                "metrics {path}: expected JSON, received: Expecting property name enclosed in double quotes: "
                "line 1 column 2 (char 1).\nWrite it again: dvc repro"
            ),
        ),
        ("metrics", "[]", "metrics {path}: expected a JSON object, received list."),
        ("metrics", "{}", f"metrics {{path}}: expected a number public.accuracy, received None.\n{MEND}"),
        (
            "metrics",
            '{"public": {"accuracy": "high"}}',
            f"metrics {{path}}: expected a number public.accuracy, received 'high'.\n{MEND}",
        ),
        (
            "metrics",
            '{"public": {"accuracy": 0.5}}',
            "metrics {path}: public.accuracy is 0.5000, but predictions {predictions} give 1.0000.\n" + MEND,
        ),
        ("audit", "{}", "audit {path}: expected the data's md5, found none.\nWrite it again: dvc repro validate"),
    ],
)
def test_a_bad_input_is_named(inputs: dict[str, Path], name: str, content: str | None, said: str) -> None:
    inputs[name].unlink()
    if content is not None:
        inputs[name].write_text(content)
    with pytest.raises(InputError) as raised:
        candidate.read(**inputs)
    assert str(raised.value) == said.replace("{path}", str(inputs[name])).replace(
        "{predictions}", str(inputs["predictions"])
    )


def test_a_cut_archive_is_refused(inputs: dict[str, Path]) -> None:
    inputs["predictions"].write_bytes(inputs["predictions"].read_bytes()[:-100])
    with pytest.raises(InputError, match=f"^predictions {inputs['predictions']}: damaged"):
        candidate.read(**inputs)


def test_predictions_without_public_test_are_refused(inputs: dict[str, Path], predictions: Predictions) -> None:
    replace(predictions, usage=np.full(140, 2, np.uint8)).save(inputs["predictions"])
    with pytest.raises(InputError, match="expected PublicTest images, found none"):
        candidate.read(**inputs)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: replace(p, row=p.row + 1), "140 rows differ"),
        (lambda p: replace(p, row=p.row[::-1]), "140 rows differ"),
        (lambda p: replace(p, label=(p.label + (p.row == p.row[0])).astype(np.uint8)), "1 labels differ"),
        (lambda p: Predictions(p.row[1:], p.label[1:], p.usage[1:], p.probabilities[1:]), "139 rows against 140"),
    ],
)
def test_predictions_for_other_data_are_refused(
    data: Prepared, predictions: Predictions, change: Callable[[Predictions], Predictions], said: str
) -> None:
    candidate.check_data(predictions, data["public"], Path("predictions.npz"), Path("faces.pickle"))
    with pytest.raises(InputError) as raised:
        candidate.check_data(change(predictions), data["public"], Path("predictions.npz"), Path("faces.pickle"))
    assert str(raised.value) == f"predictions predictions.npz: not for PublicTest of faces.pickle: {said}.\n{MEND}"


def test_predictions_of_another_model_are_refused(predictions: Predictions) -> None:
    scored = replace(predictions, probabilities=np.roll(predictions.probabilities, 1, axis=1))
    with pytest.raises(InputError) as raised:
        candidate.check_model(predictions, scored, Path("predictions.npz"), Path("model.keras"))
    assert str(raised.value) == (
        "predictions predictions.npz: not those of model model.keras: both name the same expression for 0.0 % of "
        f"PublicTest, expected at least 95 %.\n{MEND}"
    )


def test_another_machines_rounding_is_no_other_model(predictions: Predictions) -> None:
    probabilities = predictions.probabilities.copy()
    probabilities[0] = np.roll(probabilities[0], 1)
    scored = replace(predictions, probabilities=probabilities)
    candidate.check_model(predictions, scored, Path("predictions.npz"), Path("model.keras"))


def test_metrics_may_be_rounded(inputs: dict[str, Path]) -> None:
    inputs["metrics"].write_text(json.dumps({"public": {"accuracy": 0.99995}}))
    candidate.read(**inputs)


def test_exactly_images_with_the_same_pixels_are_copies() -> None:
    images = np.zeros((5, 48, 48, 1), np.uint8)
    images[1, 47, 47], images[3, 47, 47], images[4, 0, 0] = 1, 1, 1
    group = candidate.copies(images)
    assert {frozenset(np.flatnonzero(group == number)) for number in group} == {
        frozenset(s) for s in ({0, 2}, {1, 3}, {4})
    }


@pytest.mark.parametrize("shuffled", ["labels", "rows", "answers"])
def test_an_evaluation_in_another_order_is_refused(
    inputs: dict[str, Path], data: Prepared, predictions: Predictions, shuffled: str
) -> None:
    """S4's mistake: labels, images or answers are those of other images, and the claimed accuracy is high."""
    order = np.random.default_rng(1).permutation(140)
    changes: dict[str, dict[str, Any]] = {
        "labels": {"label": predictions.label[order]},
        "rows": {"row": predictions.row[order]},
        "answers": {"probabilities": predictions.probabilities[order]},
    }
    mixed = replace(predictions, **changes[shuffled])
    mixed.save(inputs["predictions"])
    if shuffled == "rows":
        with pytest.raises(InputError, match="rows differ"):
            candidate.check_data(candidate.read(**inputs).predictions, data["public"], Path("p"), Path("d"))
        return
    with pytest.raises(InputError, match=r"public\.accuracy is 1\.0000, but predictions .* give 0\.[0-4]"):
        candidate.read(**inputs)

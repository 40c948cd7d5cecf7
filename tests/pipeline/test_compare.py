"""The evaluated models of a job side by side."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from components.fer.dataset import EXPRESSIONS
from components.fer.errors import InputError
from pipeline import compare
from pipeline.jobs import Job


def evaluation(accuracy: float, **more: Any) -> dict[str, Any]:
    rows = [
        {"expression": name, "recall": accuracy - place / 100, "precision": None if place == 1 else accuracy}
        for place, name in enumerate(EXPRESSIONS)
    ]
    figure = {"n": 70, "accuracy": accuracy, "accuracy_low": accuracy - 0.02, "accuracy_high": accuracy + 0.02}
    public = {**figure, "negative_log_likelihood": 2 - accuracy, "per_class": rows}
    return {"public": public, "private": {"full": figure}, **more}


def write(results: Path, stage: str, tree: dict[str, Any]) -> None:
    (results / stage).mkdir(parents=True)
    (results / stage / "metrics.json").write_text(json.dumps(tree))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two trained models, and one that is a hybrid."""
    folder = tmp_path / "results"
    pose = {"pose": "front", "answer": "happy", **dict.fromkeys(EXPRESSIONS, 0.0), "happy": 0.934}
    write(folder, "evaluate-small", evaluation(0.5, parameters=1000, model_megabytes=3.25, poses=[pose]))
    write(
        folder,
        "evaluate-large",
        evaluation(0.6, parameters=25_636_712, model_megabytes=30.0, poses=[{**pose, "pose": "<left>"}]),
    )
    write(folder, "evaluate-hybrid-both", evaluation(0.55, parameters=2_000_000))
    write(folder, "train-backbone-small", {"seconds": 10.4})
    write(folder, "train-backbone-large", {"seconds": 1000.0})
    write(folder, "train-hybrid-both", {"seconds": 20.0})
    return folder


def test_accuracy_and_cost_mark_the_best_of_each_column(results: Path) -> None:
    table, *_ = compare.tables(compare.read(results))
    assert table.headings == ("PublicTest %", "PrivateTest, full %", "loss", "parameters", "MB", "seconds of training")
    texts = {name: [cell.text for cell in cells] for name, cells in table.rows.items()}
    assert texts == {
        "hybrid-both": [*["55.00 (53.00 to 57.00)"] * 2, "1.450", "2,000,000", "\N{EN DASH}", "20"],
        "large": [*["60.00 (58.00 to 62.00)"] * 2, "1.400", "25,636,712", "30.0", "1,000"],
        "small": [*["50.00 (48.00 to 52.00)"] * 2, "1.500", "1,000", "3.2", "10"],
    }
    best = {name: [cell.best for cell in cells] for name, cells in table.rows.items()}
    assert best == {
        "hybrid-both": [False] * 6,
        "large": [True, True, True, False, False, False],
        "small": [False, False, False, True, True, True],
    }


def test_a_model_on_another_data_set_has_the_cost_of_its_training(results: Path) -> None:
    write(results, "evaluate-small-on-ckplus", evaluation(0.3))
    assert compare.read(results)["small-on-ckplus"]["seconds"] == 10.4


def test_an_empty_set_has_no_figure(results: Path) -> None:
    empty = evaluation(0.4)
    empty["private"]["full"] = {"n": 0, "accuracy": None, "reason": "none left"}
    write(results, "evaluate-other", empty)
    table, *_ = compare.tables(compare.read(results))
    assert table.rows["other"][1] == compare.Cell("\N{EN DASH}")


@pytest.mark.parametrize("training", ["train-backbone", "train-hybrid"])
def test_the_one_model_of_a_job_needs_no_name(tmp_path: Path, training: str) -> None:
    write(tmp_path, "evaluate", evaluation(0.3))
    write(tmp_path, training, {"seconds": 1.0})
    assert compare.read(tmp_path)["model"]["seconds"] == 1.0


def test_recall_and_precision_have_their_mean_and_a_column_an_expression(results: Path) -> None:
    _, recall, precision, _ = compare.tables(compare.read(results))
    assert recall.headings == precision.headings == ("mean", *EXPRESSIONS)
    assert [cell.text for cell in recall.rows["large"]][:3] == ["57.0", "60.0", "59.0"]
    assert precision.rows["large"][0].text == "60.0", "of those that were answered"
    assert all(cell.best for cell in recall.rows["large"])
    assert precision.rows["large"][2] == compare.Cell("\N{EN DASH}"), "never predicted"


def test_poses_say_answer_and_probability(results: Path) -> None:
    *_, poses = compare.tables(compare.read(results))
    assert poses.headings == ("<left>", "front")
    assert [cell.text for cell in poses.rows["small"]] == ["\N{EN DASH}", "happy 93 %"]


def test_a_job_without_an_evaluation_is_told_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected evaluate\*/metrics\.json, found none\.\n.*ferflow run"):
        compare.read(tmp_path / "results")


def test_the_page_and_the_terminal_show_the_same_tables(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(compare, "ROOT", tmp_path)
    monkeypatch.setattr(compare, "job", lambda _: ("s5", Job("benchmark", tmp_path, tmp_path / "pipeline.yaml")))
    compare.main("s5")
    printed, page = capsys.readouterr().out, (tmp_path / "artifacts" / "compare.html").read_text()
    for table in compare.tables(compare.read(results)):
        assert table.title in printed
        assert f"<caption>{table.title}</caption>" in page
    assert page.count('class="best"') == 6 + 8 + 7
    assert "60.00 (58.00 to 62.00)" in printed
    assert "page       artifacts/compare.html" in printed
    assert "&lt;left&gt;" in page
    assert not re.search(r"https?:|//|src=|href=|<script|url\(", page), "it opens offline"

"""The table at the end of a run."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import results
from pipeline.jobs import Job

FIGURE = {"n": 3589, "accuracy": 0.61234, "accuracy_low": 0.59, "accuracy_high": 0.63, "macro_f1": 0.5}
METRICS: dict[str, Any] = {
    "public": FIGURE,
    "private": {
        "full": FIGURE,
        "clean_exact": {**FIGURE, "n": 3301, "accuracy": 0.6},
        "clean_near": {"n": 0, "accuracy": None, "reason": "none"},
    },
    "majority_baseline": {"expression": "happy", "public": 0.2494},
}


def write(results: Path, stage: str, name: str, content: dict[str, Any]) -> None:
    (results / stage).mkdir(parents=True)
    (results / stage / f"{name}.json").write_text(json.dumps(content))


def test_rows_of_a_hybrid(tmp_path: Path) -> None:
    for stage in ("train-backbone-a", "train-hybrid"):
        write(tmp_path, stage, "metrics", {"public": {"accuracy": 0.5}})
    write(tmp_path, "evaluate", "metrics", METRICS)
    write(tmp_path, "push-model", "version", {"name": "fer"})
    assert list(results.rows(tmp_path)) == [
        ("backbone-a", "PublicTest", "", "50.00", "", ""),
        ("fer", "PublicTest", "3,589", "61.23", "59.00 to 63.00", "0.500"),
        ("fer", "Private, full", "3,589", "61.23", "59.00 to 63.00", "0.500"),
        ("fer", "Private, clean-exact", "3,301", "60.00", "59.00 to 63.00", "0.500"),
        ("fer", "Private, clean-near", "0", "none left", "", ""),
        ("always happy", "PublicTest", "", "24.94", "", ""),
    ]


def test_a_mean_over_views_has_rows_of_its_own(tmp_path: Path) -> None:
    seen = {"kind": "ten_crop", "public": {**FIGURE, "accuracy": 0.625}, "private": METRICS["private"]}
    write(tmp_path, "evaluate-vgg16", "metrics", {**METRICS, "views": seen})
    write(tmp_path, "evaluate-xception", "metrics", {**METRICS, "views": {}})
    rows = list(results.rows(tmp_path))
    assert [row[0] for row in rows] == [
        *["vgg16"] * 4,
        *["vgg16, ten-crop views"] * 4,
        *["xception"] * 4,
        "always happy",
    ]
    assert rows[4][1:4] == ("PublicTest", "3,589", "62.50")


def test_rows_of_a_benchmark_name_its_models(tmp_path: Path) -> None:
    for model in ("vgg16", "resnet50"):
        write(tmp_path, f"train-backbone-{model}", "metrics", {"public": {"accuracy": 0.5}})
        write(tmp_path, f"evaluate-{model}", "metrics", METRICS)
    names = [row[0] for row in results.rows(tmp_path)]
    assert names == [*["resnet50"] * 4, *["vgg16"] * 4, "always happy"]


def test_a_first_model_that_is_not_promoted_leaves_no_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "ROOT", tmp_path)
    version = {"name": "fer-hybrid", "version": "0001-77b2cc60", "verdict": "REJECT", "reasons": [], "store": "models"}
    write(tmp_path / "results", "push-model", "version", {**version, "champion": None})
    (tmp_path / "params.yaml").write_text("registry: {registry: 'sqlite:///mlflow.db'}")
    results.show(Job("hybrid", tmp_path, tmp_path / "pipeline.yaml"), seconds=90)
    assert "champion   none yet\n" in capsys.readouterr().out


def test_the_table_fits_a_terminal_of_80_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(results, "ROOT", tmp_path)
    version = {"name": "fer-hybrid", "version": "0001-77b2cc60", "verdict": "PROMOTE", "reasons": ["a reason"]}
    for stage, name, content in (
        ("evaluate", "metrics", {**METRICS, "views": {**METRICS, "kind": "flip"}}),
        ("push-model", "version", {**version, "champion": "0001-77b2cc60", "store": "models/fer-hybrid"}),
        ("train-backbone-a", "metrics", {"public": {"accuracy": 0.5}}),
    ):
        write(tmp_path / "results", stage, name, content)
    (tmp_path / "artifacts" / "evaluate").mkdir(parents=True)
    for page in ("report.html", "evaluate/report.html"):
        (tmp_path / "artifacts" / page).touch()
    (tmp_path / "params.yaml").write_text("registry: {registry: 'sqlite:///mlflow.db'}")
    results.show(Job("hybrid", tmp_path, tmp_path / "pipeline.yaml"), seconds=90)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    row, seen = (line.split() for line in printed.splitlines() if "Private, full" in line)
    assert seen[0] == "fer-hybrid,"
    assert row == ["fer-hybrid", "Private,", "full", "3,589", "61.23", "59.00", "to", "63.00", "0.500"]
    for line in (
        "report     artifacts/report.html",
        "evaluated  artifacts/evaluate/report.html",
        "model      models/fer-hybrid",
        "time       1.5 minutes",
    ):
        assert line in printed

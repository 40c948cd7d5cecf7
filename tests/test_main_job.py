"""The main job's graph from a clean clone to a registered model, by the newcomer's one command."""

import json
import subprocess
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests import planted
from tests.clone import ferflow, make

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git would give to somebody else."""
    folder = tmp_path_factory.mktemp("clone")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def demo(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """`ferflow run` without FER2013, by somebody who has credentials for everything."""
    return ferflow(clone, "run", variables=planted.environment(tmp_path_factory.mktemp("credentials")))


def test_without_fer2013_the_demo_runs_and_says_so(clone: Path, demo: subprocess.CompletedProcess[str]) -> None:
    assert demo.returncode == 0, demo.stderr[-3000:]
    assert "Running the demo on drawn faces instead. Its figures say nothing about real faces." in demo.stdout
    assert "FER2013 is given out by Kaggle" in demo.stdout


def test_the_table_has_what_the_metrics_have(clone: Path, demo: subprocess.CompletedProcess[str]) -> None:
    metrics = json.loads((clone / "recipes/demo/results/evaluate/metrics.json").read_text())
    for figure in (metrics["public"], *metrics["private"].values()):
        assert f"{100 * figure['accuracy']:.2f}" in demo.stdout
    assert metrics["public"]["accuracy"] > 2 * metrics["majority_baseline"]["public"]


def test_report_model_and_registry_are_there(clone: Path, demo: subprocess.CompletedProcess[str]) -> None:
    folder = clone / "recipes" / "demo"
    for page in ("report.html", "evaluate/report.html"):
        assert "</html>" in (folder / "artifacts" / page).read_text()
    assert "report     recipes/demo/artifacts/report.html" in demo.stdout
    version = json.loads((folder / "results/push-model/version.json").read_text())
    assert version["verdict"] == "PROMOTE"
    assert json.loads((folder / "models/fer-demo/champion.json").read_text())["version"] == version["version"]
    assert version["store"] in demo.stdout
    registry = MlflowClient(f"sqlite:///{folder}/mlflow.db", f"sqlite:///{folder}/mlflow.db")
    alias = registry.get_model_version_by_alias("fer-demo", "champion")
    assert alias.tags["store_version"] == version["version"]


def test_no_credential_is_said_or_written(clone: Path, demo: subprocess.CompletedProcess[str]) -> None:
    assert planted.leaks(demo.stdout + demo.stderr, clone) == []


def test_the_report_has_state_and_time_of_each_stage(clone: Path, demo: subprocess.CompletedProcess[str]) -> None:
    page = (clone / "recipes/demo/artifacts/report.html").read_text()
    stages = json.loads((clone / "recipes/demo/results/times.json").read_text())
    assert {"validate", "train-backbone-a", "train-hybrid", "push-model"} <= stages.keys()
    for stage in stages:
        assert f"{stage}, up to date" in page
    assert "not recorded" not in page


def test_a_second_run_runs_nothing(clone: Path, demo: subprocess.CompletedProcess[str]) -> None:
    folder = clone / "recipes" / "demo"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    again = ferflow(clone, "demo")
    assert again.returncode == 0, again.stderr[-3000:]
    assert "Running stage" not in again.stdout + again.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before


def test_git_sees_the_lock_of_the_demo_alone(clone: Path, demo: subprocess.CompletedProcess[str]) -> None:
    assert demo.returncode == 0
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    assert (
        subprocess.run(status, cwd=clone, capture_output=True, text=True, check=True).stdout
        == "?? recipes/demo/dvc.lock\n"
    )

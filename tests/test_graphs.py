"""The graphs beside the main job's, by DVC on drawn faces."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.fer import made_faces
from tests.clone import ferflow, make

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose demos take half a minute, with a further data set, a hybrid, and a job for two_step."""
    folder = tmp_path_factory.mktemp("clone")
    make(folder)
    for recipe in (folder / "recipes").iterdir():
        if not recipe.name.startswith("demo"):
            shutil.rmtree(recipe)  # DVC reads every dvc.yaml of a repository, whichever is to be run
    jobs = {name: changed(folder / "recipes" / name / "params.yaml") for name in ("demo_single", "demo_benchmark")}
    two_step = {**jobs["demo_single"], "graph": "two_step"}
    model = two_step.pop("model")
    jobs["demo_two_step"] = {**two_step, "first": {**model, "freeze": "all"}, "second": model}
    jobs["demo_distilled"] = distilled(jobs["demo_single"])
    jobs["demo_single"]["cross_same"] = jobs["demo_single"]["data"]
    jobs["demo_benchmark"]["hybrid_ff"] = {"branches": "FF", "weights": "trained", "epochs": 1, "learning_rate": 0.001}
    for name, values in jobs.items():
        path = folder / "recipes" / name / "params.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(values, sort_keys=False))
    csv = folder / "recipes" / "demo" / "data" / "faces.csv"
    csv.parent.mkdir()
    made_faces.write_csv(made_faces.made_faces(210, seed=1), csv)
    compiled = ferflow(folder, "compile")
    assert compiled.returncode == 0, compiled.stderr[-3000:]
    return folder


def changed(path: Path) -> dict[str, Any]:
    """A demo's values, but for a smaller size."""
    values: dict[str, Any] = yaml.safe_load(path.read_text())
    values["training"] |= {"image_size": 32, "dense_1": 16, "dense_2": 8, "batch_size": 32}
    values["evaluate"] |= {"resamples": 100, "pictures": "standard"}
    for section in (section for section in values if section.startswith("model")):
        values[section]["epochs"] = 1
    return values


def distilled(single: dict[str, Any]) -> dict[str, Any]:
    """The values of a job of one training for a teacher and a student, each with its own regularisation."""
    values = {**single, "graph": "distilled", "training": dict(single["training"])}
    own = {**values.pop("model"), **{name: values["training"].pop(name) for name in ("dropout", "erasing", "mixup")}}
    return {**values, "teacher": own, "student": own}


def repro(folder: Path, stage: str) -> str:
    """Run a stage by DVC, and those that it needs, and give what they say."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment["PYTHONPATH"] = str(folder.parents[1])
    command = [sys.executable, "-m", "dvc", "repro", f"dvc.yaml:{stage}"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def test_single_takes_one_architecture_from_data_to_registry(clone: Path) -> None:
    done = ferflow(clone, "demo", "single")
    assert done.returncode == 0, done.stderr[-3000:]
    folder = clone / "recipes" / "demo_single"
    version = json.loads((folder / "results/push-model/version.json").read_text())
    assert f"fer-demo-single {version['version']}: {version['verdict']}" in done.stdout
    assert (folder / version["store"] / "saved_model").is_dir()
    assert (folder / "artifacts/evaluate/report.html").is_file()
    own, cross = (measured(folder, name) for name in ("evaluate", "evaluate-on-same"))
    assert cross["public"] == own["public"]  # the further data set is the same one here


def measured(folder: Path, task: str) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads((folder / "results" / task / "metrics.json").read_text())
    return metrics


def test_two_step_goes_on_from_the_frozen_training(clone: Path) -> None:
    folder = clone / "recipes" / "demo_two_step"
    repro(folder, "train-backbone-all")
    frozen, whole = (measured(folder, f"train-backbone-{step}") for step in ("frozen", "all"))
    assert frozen["parameters"] == whole["parameters"]
    assert frozen["trainable_parameters"] < 10_000 < whole["trainable_parameters"]


def test_distilled_trains_a_student_by_its_teacher(clone: Path) -> None:
    folder = clone / "recipes" / "demo_distilled"
    said = repro(folder, "train-backbone-student")
    assert "asking teacher artifacts/train-backbone-teacher/model.keras about" in said
    teacher, student = (measured(folder, f"train-backbone-{one}") for one in ("teacher", "student"))
    assert teacher["parameters"] == student["parameters"]


def test_benchmark_measures_architectures_side_by_side_and_pushes_none(clone: Path) -> None:
    done = ferflow(clone, "demo", "benchmark")
    assert done.returncode == 0, done.stderr[-3000:]
    folder = clone / "recipes" / "demo_benchmark"
    for model in ("vgg-small", "resnet-small", "hybrid-ff"):
        accuracy = measured(folder, f"evaluate-{model}")["public"]["accuracy"]
        (row,) = (
            line.split() for line in done.stdout.splitlines() if line.startswith(f"{model} ") and "PublicTest" in line
        )
        assert row[2:4] == ["21", f"{100 * accuracy:.2f}"]
    assert not (folder / "models").exists()
    assert "mlflow ui" not in done.stdout

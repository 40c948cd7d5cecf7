"""The graphs beside the main job's, by DVC on drawn faces."""

import json
from pathlib import Path

import pytest
import yaml

from components.fer import made_faces
from tests.clone import ferflow, make

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose demos take half a minute."""
    folder = tmp_path_factory.mktemp("clone")
    make(folder)
    for name in ("demo_single", "demo_benchmark"):
        path = folder / "recipes" / name / "params.yaml"
        values = yaml.safe_load(path.read_text())
        values["training"] |= {"image_size": 32, "dense_1": 16, "dense_2": 8, "batch_size": 32}
        values["evaluate"]["resamples"] = 100
        for section in (section for section in values if section.startswith("model")):
            values[section]["epochs"] = 1
        path.write_text(yaml.safe_dump(values, sort_keys=False))
    csv = folder / "recipes" / "demo" / "data" / "faces.csv"
    csv.parent.mkdir()
    made_faces.write_csv(made_faces.made_faces(210, seed=1), csv)
    return folder


def test_single_takes_one_architecture_from_data_to_registry(clone: Path) -> None:
    done = ferflow(clone, "demo", "single")
    assert done.returncode == 0, done.stderr[-3000:]
    folder = clone / "recipes" / "demo_single"
    version = json.loads((folder / "results/push-model/version.json").read_text())
    assert f"fer-demo-single {version['version']}: {version['verdict']}" in done.stdout
    assert (folder / version["store"] / "saved_model").is_dir()
    assert (folder / "artifacts/evaluate/report.html").is_file()


def test_benchmark_measures_architectures_side_by_side_and_pushes_none(clone: Path) -> None:
    done = ferflow(clone, "demo", "benchmark")
    assert done.returncode == 0, done.stderr[-3000:]
    folder = clone / "recipes" / "demo_benchmark"
    for model in ("vgg-small", "resnet-small"):
        accuracy = json.loads((folder / f"results/evaluate-{model}/metrics.json").read_text())["public"]["accuracy"]
        (row,) = (
            line.split() for line in done.stdout.splitlines() if line.startswith(f"{model} ") and "PublicTest" in line
        )
        assert row[2:4] == ["21", f"{100 * accuracy:.2f}"]
    assert not (folder / "models").exists()
    assert "mlflow ui" not in done.stdout

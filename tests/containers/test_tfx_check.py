"""tfx-check in its image: TFX for real, over the artifacts of a run on drawn faces."""

import json
import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.fer.dataset import EXPRESSIONS, Faces, Predictions
from components.tfx_check import environment
from pipeline import build
from pipeline.desk import ROOT, source_files
from pipeline.images import PACKAGES
from tests.components.evaluate.conftest import KERAS
from tests.components.tfx_check import made as made_run
from tests.containers import container
from tests.containers.conftest import LISTING, image
from tests.containers.test_images import TOOLS

pytestmark = [pytest.mark.containers, pytest.mark.slow, pytest.mark.filterwarnings(KERAS)]

NAME = "tfx-check"

FLOOR = 0.9

SLICED = ("expression", "clean_exact", "clean_near", "certainty")


@pytest.fixture(scope="module")
def tfx() -> str:
    """The image, which `make images` leaves out; skipped aloud where nobody has made it of this tree."""
    listing = container.attempt(image(NAME), "python", "-c", LISTING)
    own = {path: sha256((ROOT / path).read_bytes()).hexdigest() for path in source_files(PACKAGES[NAME])}
    if listing.returncode or json.loads(listing.stdout) != own:
        pytest.skip(f"no image of this tree here: ferflow images {NAME} --base $(.ci/engine {NAME})")
    return image(NAME)


@pytest.fixture(scope="module")
def finished(tfx: str, made: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run up to push-model. PrivateTest's TFRecords are gone: nothing after evaluate may open them."""
    folder = tmp_path_factory.mktemp("finished")
    made_run.artifacts(folder, made)
    shutil.rmtree(folder / "prepared.tfrecord" / "Split-private")
    return folder


@pytest.fixture
def workspace(finished: Path, tmp_path: Path) -> Path:
    """A copy of the run to be spoilt, in which the container's user may write."""
    shutil.copytree(finished, tmp_path / "work")
    return tmp_path / "work"


def check(tfx: str, workspace: Path, **changes: Any) -> subprocess.CompletedProcess[str]:
    for path in (workspace, *workspace.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o644)
    words = made_run.argv({**made_run.VALUES, **changes})
    return container.attempt(tfx, "python", "-m", "components.tfx_check", *words, folder=workspace)


@pytest.fixture(scope="module")
def ran(tfx: str, finished: Path) -> subprocess.CompletedProcess[str]:
    """Held to a floor that the gate has not, so that TFMA's validation fails where the gate has blessed."""
    return check(tfx, finished, class_floor=FLOOR)


@pytest.fixture(scope="module")
def report(ran: subprocess.CompletedProcess[str], finished: Path) -> Any:
    assert ran.returncode == 0, ran.stderr
    return json.loads((finished / "out" / "report.json").read_text())


def test_the_image_has_glibc_and_python_for_tfx_and_no_tools(tfx: str) -> None:
    command = "import platform; print(platform.libc_ver()[1], platform.python_version())"
    glibc, python = container.run(tfx, "python", "-c", command).split()
    assert tuple(map(int, glibc.split("."))) >= tuple(map(int, environment.GLIBC.split(".")))
    assert python.startswith("3.13.")
    tools = ["docker", "run", "--rm", "--user", "0", tfx, "python", "-c", TOOLS]
    assert subprocess.run(tools, capture_output=True, text=True, check=True).stdout == "[] [] []\n"
    config = build.inspect(tfx)["Config"]
    assert int(config["User"].partition(":")[0]) > 0
    assert not config["Entrypoint"]


def test_every_component_of_tfx_ran_and_said_little_else(ran: subprocess.CompletedProcess[str]) -> None:
    said = ran.stderr.splitlines()
    for component in (
        *("StatisticsGen", "SchemaGen", "ExampleValidator", "Evaluator", "Evaluator.stored"),
        *("LoadCheck", "Pusher"),
    ):
        assert f"Component {component} is running." in said, ran.stderr
    assert len(said) < 25, ran.stderr


def test_tfma_and_evaluate_agree_in_every_slice(report: Any, finished: Path) -> None:
    for name, slices in (("public", {*SLICED, "brightness"}), ("private", set(SLICED))):
        rows = {row["slice"]: row for row in report[name]}
        assert {label.partition(" ")[0] for label in rows if label != "all images"} == slices
        for row in rows.values():
            assert abs(row["evaluate"] - row["tfma"]) <= 1 / row["images"] + 1e-6
    metrics = json.loads((finished / "metrics.json").read_text())
    rows = {row["slice"]: row for row in report["public"]}
    assert rows["all images"]["images"] == metrics["public"]["n"]
    assert rows["all images"]["tfma"] == pytest.approx(metrics["public"]["accuracy"], abs=1 / metrics["public"]["n"])
    for entry in metrics["public"]["per_class"]:
        row = rows[f"expression {entry['expression']}"]
        assert row["images"] == entry["support"]
        assert row["tfma"] == pytest.approx(entry["recall"], abs=1 / entry["support"] + 1e-6)
    rows = {row["slice"]: row for row in report["private"]}
    for form, label in (("full", "all images"), ("clean_exact", "clean_exact yes"), ("clean_near", "clean_near yes")):
        assert (rows[label]["images"], rows[label]["tfma"]) == (
            metrics["private"][form]["n"],
            pytest.approx(metrics["private"][form]["accuracy"], abs=1e-6),
        )


def test_statistics_schema_and_anomalies_are_of_training_and_public_test(report: Any, finished: Path) -> None:
    tfx = finished / "out" / "tfx"
    for name in ("statistics", "anomalies"):
        assert {path.name for path in (tfx / name).iterdir()} == {"Split-train", "Split-public"}
    schema = (tfx / "schema" / "schema.pbtxt").read_text()
    for feature in ("image", "label", "row"):
        assert f'name: "{feature}"' in schema


def test_the_blessed_model_is_pushed_as_it_is_stored(report: Any, finished: Path) -> None:
    version = json.loads((finished / "version.json").read_text())
    stored = finished / version["store"] / "saved_model"
    assert report["blessed"] is True
    missed = [row for row in report["public"] if row["slice"].startswith("expression ") and row["tfma"] < FLOOR]
    assert missed
    assert sorted(report["missed"]) == [f"{row['slice']} {row['tfma']:.4f}" for row in missed]
    pushed = finished / "out" / "tfx" / "pushed" / report["pushed"]
    assert content(pushed) == content(stored)
    assert content(stored)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pusher_obeys_the_gate_and_not_tfma(tfx: str, workspace: Path) -> None:
    """The gate rejects by a floor of its own; TFMA's validation, which has another, passes."""
    made_run.push(workspace, store="strict", class_floor=1.0)
    assert json.loads((workspace / "verdict.json").read_text())["decision"] == "REJECT"
    done = check(tfx, workspace, store="strict")
    assert done.returncode == 0, done.stderr
    report = json.loads((workspace / "out" / "report.json").read_text())
    assert (report["blessed"], report["pushed"], report["missed"]) == (False, None, [])
    assert not (workspace / "out" / "tfx" / "pushed").exists()
    assert done.stderr.endswith("TFMA's validation: passed\nnot pushed: the gate has not blessed it\n")


def worse_at(expression: int) -> Callable[[Path], None]:
    """Predictions, and the metrics that fit them, of a model that is wrong about an expression's last images."""

    def change(workspace: Path) -> None:
        stored = Predictions.load(workspace / "predictions.npz")
        right = (stored.usage == 1) & (stored.label == expression)
        right &= stored.probabilities.argmax(axis=1) == stored.label
        late = np.flatnonzero(right & (np.cumsum(stored.usage == 1) > 40))  # beyond the golden images
        assert len(late) > 1
        probabilities = stored.probabilities.copy()
        probabilities[late] = np.roll(probabilities[late], 1, axis=1)
        Predictions(stored.row, stored.label, stored.usage, probabilities).save(workspace / "predictions.npz")
        metrics = json.loads((workspace / "metrics.json").read_text())
        metrics["public"]["accuracy"] -= len(late) / metrics["public"]["n"]
        entry = metrics["public"]["per_class"][expression]
        entry["recall"] -= len(late) / entry["support"]
        (workspace / "metrics.json").write_text(json.dumps(metrics))

    return change


def new_column(workspace: Path) -> None:
    """A feature that Training has not, in the Examples of PublicTest."""
    for path in (workspace / "prepared.tfrecord" / "Split-public").iterdir():
        records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
        with tf.io.TFRecordWriter(str(path)) as file:
            for record in records:
                example = tf.train.Example.FromString(record)
                example.features.feature["age"].int64_list.value.append(30)
                file.write(example.SerializeToString())


def flipped_byte(workspace: Path) -> None:
    """Another weight in the stored SavedModel."""
    (path,) = workspace.glob("models/*/versions/*/saved_model/variables/variables.data*")
    path.chmod(0o644)
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(damaged)


BEST = EXPRESSIONS.index("surprise")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (worse_at(BEST), [f"expression {EXPRESSIONS[BEST]}: ", "by evaluate, ", "by TFMA; allowed difference 1"]),
        (new_column, ["ExampleValidator finds anomalies:\n  public, age: New column"]),
        (flipped_byte, ["variables.data"]),
    ],
    ids=["another model", "anomaly", "flipped byte"],
)
def test_what_does_not_hold_ends_the_stage_by_name(
    spoil: Callable[[Path], None], told: list[str], tfx: str, workspace: Path
) -> None:
    spoil(workspace)
    shutil.rmtree(workspace / "out", ignore_errors=True)
    done = check(tfx, workspace)
    assert done.returncode == 1, done.stderr
    for words in told:
        assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((workspace / "out").glob("*"))

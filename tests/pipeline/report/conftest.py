"""A job that ran: what its stages leave, made in a moment from drawn faces and made answers."""

import json
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile, copytree
from typing import Any

import numpy as np
import pytest
import yaml

from components.evaluate.measure import Sample, Settings, measure_all
from components.fer.dataset import USAGES, Faces, Masks
from components.model_store.folder import FolderStore
from components.model_store.records import Rules
from components.push_model import gate, outcome
from components.validate import audit, figures
from pipeline.desk import ROOT
from pipeline.jobs import Job
from pipeline.models.place import Place
from pipeline.report import gather, stages
from pipeline.report.gather import Report
from pipeline.report.render import render
from tests.components.evaluate.conftest import HISTORY, write_history
from tests.components.model_store.made import MD5, NAME, make, predictions

RULES = Rules("superiority", 0.05, 0.5, 1.0, 10.0, 0.2, 0.1)


@dataclass(frozen=True)
class Ran:
    """A workspace in which the main job ran."""

    folder: Path
    status: dict[str, Any]
    """what `dvc status` shall say; empty: all is as it was"""

    def gather(self, with_images: bool = False) -> Report:
        return gather.gather(None, with_images)


def write(path: Path, tree: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree))


def run_of(entry: dict[str, Any]) -> dict[str, Any]:
    """What dvc.lock says of a run of a stage."""
    outs = [path if isinstance(path, str) else next(iter(path)) for kind in ("outs", "metrics") for path in entry[kind]]
    return {
        "cmd": entry["cmd"],
        "deps": [{"path": "data/fer2013.csv", "md5": MD5}],
        "params": {"params.yaml": {"training.seed": 7}},
        "outs": [{"path": path, "md5": "0123456789abcdef"} for path in outs],
    }


def leave_results(folder: Path, faces: Faces, masks: Masks) -> None:
    """What validate, preprocess, the trainings and evaluate leave."""
    said = predictions(70)
    write(folder / "results/validate/audit.json", {"source": {"md5": MD5}} | figures.figures(faces, masks, 0.95))
    counted = {"before": 28709, "after": 27434}
    write(folder / "results/preprocess/report.json", {"images": {"training": counted}, "dropped": {"constant": 11}})
    for name in ("train-backbone-a", "train-backbone-b", "train-hybrid"):
        (folder / "results" / name).mkdir()
        write_history(folder / "results" / name / "history.csv", HISTORY)
        write(folder / "results" / name / "metrics.json", {"seconds": 572.2, "public": {"accuracy": 0.5}})
    samples = {
        usage: Sample(said.probabilities[mine], said.label[mine], masks.copy_group[said.row[mine]], None)
        for usage in USAGES
        if (mine := said.usage == USAGES.index(usage)).any()
    }
    private = samples["PrivateTest"]
    forms = {"full": private, "clean_exact": private, "clean_near": private.only(np.zeros(len(private), bool))}
    more: dict[str, Any] = {"parameters": 49, "model_megabytes": 0.1, "branches": {}, "poses": [], "views": {}}
    write(
        folder / "results/evaluate/metrics.json",
        measure_all(samples["PublicTest"], forms, Settings(1.5, 3, 200, 1)) | more,
    )
    (folder / "results/evaluate/calibration.csv").write_text("confidence,accuracy,count\n0.3,0.25,40\n1.0,0.7,60\n")
    for stage in ("validate", "evaluate"):
        (folder / "artifacts" / stage).mkdir(parents=True)
    said.save(folder / "artifacts/evaluate/predictions.npz")
    faces.save(folder / "artifacts/validate/faces.npz")
    masks.save(folder / "artifacts/validate/masks.npz")


def leave_push(folder: Path) -> None:
    """What push-model leaves: a second model beside the champion, and the gate's verdict."""
    store = FolderStore(folder / "models")
    first, second = make(store, 60), make(store, 70)
    said, before = predictions(70), predictions(60)
    public = said.usage == 1
    images = gate.Images(said.label[public], said.row[public], 3)
    champion = gate.Champion(first.id, before.probabilities[public])
    verdict = gate.judge(said.probabilities[public], champion, images, RULES)
    digests = {"model_sha256": "m" * 64, "data_md5": MD5}
    write(
        folder / "results/push-model/verdict.json",
        outcome.tree(NAME, verdict, {"version": second.id, **digests}, {"version": first.id, **digests}),
    )
    summary: dict[str, Any] = {
        "name": NAME,
        "version": second.id,
        "verdict": verdict.decision,
        "reasons": verdict.reasons,
    }
    summary |= {"champion": first.id, "previous": None, "store": second.address, "registry": "sqlite:///mlflow.db"}
    write(folder / "results/push-model/version.json", summary)


def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Let the job be the one in `folder`, and DVC say of it what the test wants."""
    status: dict[str, Any] = {}
    place = Place(FolderStore(folder / "models"), NAME, "sqlite:///mlflow.db", folder)
    monkeypatch.setattr(gather, "job", lambda _: ("main", Job("hybrid", folder, folder / "pipeline.yaml")))
    monkeypatch.setattr(Place, "of", lambda *_: place)
    monkeypatch.setattr(stages, "_status", lambda _: status)
    return Ran(folder, status)


@pytest.fixture(scope="session")
def workspace(made: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a whole run leaves; not to be changed."""
    folder = tmp_path_factory.mktemp("ran")
    definition = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    copyfile(ROOT / "dvc.yaml", folder / "dvc.yaml")
    write(folder / "dvc.lock", {"stages": {name: run_of(entry) for name, entry in definition.items()}})
    leave_results(folder, made, audit.masks(made, 0.95))
    leave_push(folder)
    return folder


@pytest.fixture
def ran(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """A copy of it that a test may change."""
    return here(copytree(workspace, tmp_path / "ran"), monkeypatch)


@pytest.fixture(scope="session")
def report(workspace: Path) -> Report:
    """The tree of the whole run."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return here(workspace, monkeypatch).gather()


@pytest.fixture(scope="session")
def html(report: Report) -> str:
    """Its page."""
    return render(report)


@pytest.fixture(scope="session")
def html_with_images(workspace: Path) -> str:
    """Its page for the owner of the data alone."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return render(here(workspace, monkeypatch).gather(with_images=True))

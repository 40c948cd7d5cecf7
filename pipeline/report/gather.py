"""All that a run left, read into one tree; nothing is written, and what is absent is said."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.evaluate import history
from components.evaluate.history import History
from components.fer.dataset import Faces, Predictions
from components.fer.errors import FerflowError
from components.model_store import lineage
from components.model_store.lineage import Lineage
from pipeline import placement, times
from pipeline.jobs import job
from pipeline.models.place import Place
from pipeline.report import answers, measured, origin, stages
from pipeline.report.absent import Absent
from pipeline.report.answers import Case, Changes
from pipeline.report.measured import Model
from pipeline.report.origin import Origin
from pipeline.report.prices import Prices
from pipeline.report.stages import Stage

Tree = Mapping[str, Any]

PUSHED = Path("results") / "push-model"


@dataclass(frozen=True, eq=False)
class Report:
    """What the page shows."""

    name: str
    """of the job"""
    graph: str
    models: list[Model]
    """the one that counts first"""
    pushed: Tree | Absent
    """version.json"""
    verdict: Tree | Absent
    """verdict.json"""
    stages: tuple[Stage, ...]
    audits: dict[str, Tree]
    """audit.json by the stage that wrote it"""
    prepared: dict[str, Tree]
    """report.json by the stage that wrote it"""
    histories: dict[str, History]
    """by the stage that trained"""
    origin: Origin
    prices: Prices
    changes: Changes | Absent
    mistakes: tuple[Case, ...] | Absent
    images: bool
    """whether it shows images of the data set"""


def gather(recipe: str | None, with_images: bool) -> Report:
    """Read what the last run of a recipe, or of the main job, left.

    Raises `InputError` where there was none, or images are wanted and not at hand.
    """
    name, found = job(recipe)
    folder, prices = found.folder, Prices.read()
    lock = times.read_lock(folder)
    shown = stages.read(found, lock, placement.Table.read(), prices)
    models = _best_first(measured.read(folder), shown)
    faces = Faces.load(folder / "artifacts" / "validate" / "faces.npz") if with_images else None
    said = measured.answers_of(folder, models[0].stage)
    verdict = _pushed(folder, "verdict.json")
    stored, changed = _from_store(recipe, verdict, said, faces)
    return Report(
        name=name,
        graph=found.graph,
        models=models,
        pushed=_pushed(folder, "version.json"),
        verdict=verdict,
        stages=shown,
        audits=_trees(folder, "validate*/audit.json"),
        prepared=_trees(folder, "preprocess*/report.json"),
        histories={path.parent.name: history.read(path) for path in sorted(folder.glob("results/train*/history.csv"))},
        origin=origin.trace(lock, None if isinstance(verdict, Absent) else verdict, stored, lineage.code()),
        prices=prices,
        changes=changed,
        mistakes=answers.mistakes(said, faces) if said else NO_ANSWERS,
        images=with_images,
    )


NO_ANSWERS = Absent("The model's answers to each image are not on this machine. A run leaves them:", "ferflow run")
FIRST = Absent("There was no champion to compare with: this is the first model of its name.")


def _best_first(models: list[Model], shown: tuple[Stage, ...]) -> list[Model]:
    """The model that is pushed comes first, then the one with the best accuracy on PublicTest of the job's own data."""
    pushed = {needed for stage in shown if stage.name == "push-model" for needed in stage.needs}
    return sorted(
        models,
        key=lambda model: (model.stage not in pushed, "-on-" in model.stage, -model.metrics["public"]["accuracy"]),
    )


def _pushed(folder: Path, name: str) -> Tree | Absent:
    path = folder / PUSHED / name
    if not path.is_file():
        return Absent(f"There is no {PUSHED / name}. A graph that pushes a model leaves it:", "ferflow run")
    found: Tree = json.loads(path.read_text())
    return found


def _trees(folder: Path, pattern: str) -> dict[str, Tree]:
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob(f"results/{pattern}"))}


def _from_store(
    recipe: str | None, verdict: Tree | Absent, said: Predictions | None, faces: Faces | None
) -> tuple[Lineage | None, Changes | Absent]:
    """Lineage of the pushed version, and where its answers differ from those of the champion that it was held to."""
    if isinstance(verdict, Absent):
        return None, verdict
    version, champion, record = verdict["candidate"]["version"], verdict["champion"], None
    try:
        place = Place.of(recipe, None, None, None)
        record = lineage.parse(place.store.read(place.name, version, lineage.NAME), version)
        if champion is None:
            return record, FIRST
        if said is None:
            return record, NO_ANSWERS
        with place.store.fetched(place.name, champion["version"]) as version_folder:
            before = Predictions.load(version_folder / "predictions.npz")
            return record, answers.changes(said, before, champion["version"], faces)
    except FerflowError as error:
        return record, Absent(f"The model store does not have it. {error}")

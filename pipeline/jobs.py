"""The jobs of the repository: a graph with its values."""

from dataclasses import dataclass
from pathlib import Path

from components.fer.errors import InputError
from pipeline import parameters
from pipeline.desk import ROOT

MAIN = "main"
"""the job whose params.yaml and dvc.yaml stand at the top"""


@dataclass(frozen=True)
class Job:
    """A graph with its values: the main job at the top, or a recipe."""

    graph: str
    folder: Path
    """holds params.yaml and dvc.yaml, and is where DVC runs the stages"""
    pipeline: Path
    """Kubeflow's form"""


def jobs() -> dict[str, Job]:
    """The main job and the recipes, by name."""
    recipes = {path.parent.name: path.parent for path in sorted((ROOT / "recipes").glob("*/params.yaml"))}
    return {
        MAIN: _job(ROOT, ROOT / "pipeline" / "pipeline.yaml"),
        **{name: _job(folder, folder / "pipeline.yaml") for name, folder in recipes.items()},
    }


def job(recipe: str | None) -> tuple[str, Job]:
    """Name and job of a recipe, or of the main job. Raises `InputError` where there is no such recipe."""
    found = jobs()
    recipes = found.keys() - {MAIN}
    if recipe is not None and recipe not in recipes:
        raise InputError(f"recipe {recipe}: expected one of {', '.join(sorted(recipes))}.", "ls recipes")
    return recipe or MAIN, found[recipe or MAIN]


def title(name: str) -> str:
    """A job's name on a cluster: of its experiment, and of its schedule."""
    return f"ferflow-{name}".replace("_", "-")


def _job(folder: Path, pipeline: Path) -> Job:
    return Job(parameters.graph(folder / "params.yaml"), folder, pipeline)

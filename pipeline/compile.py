"""Both compiled forms of every graph, beside the params.yaml that gives its values."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from components.fer.errors import InputError
from pipeline import desk, kubeflow, parameters
from pipeline.ir import documents

ROOT = desk.ROOT

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
        MAIN: Job("hybrid", ROOT, ROOT / "pipeline" / "pipeline.yaml"),
        **{name: Job("hybrid", folder, folder / "pipeline.yaml") for name, folder in recipes.items()},
    }


def generated() -> Iterator[tuple[Path, str]]:
    """Path and text of each generated file."""
    for job in jobs().values():
        text = kubeflow.compile_ir(job.graph, parameters.read(job.folder / "params.yaml"))
        yield job.pipeline, text
        yield job.folder / "dvc.yaml", desk.translate(documents(text)[0], job.folder)


def stale() -> dict[Path, str]:
    """Generated files whose text on disk differs from what the graph says, with the right text."""
    return {path: text for path, text in generated() if not path.is_file() or path.read_text() != text}


def main(check: bool) -> None:
    """Write the generated files that differ, or with `check` raise `InputError` where one does."""
    changed = stale()
    if check and changed:
        names = ", ".join(str(path.relative_to(ROOT)) for path in changed)
        raise InputError(
            f"generated files: expected what the graph says, found other text in {names}.", "make generate"
        )
    for path, text in changed.items():
        path.write_text(text)
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")

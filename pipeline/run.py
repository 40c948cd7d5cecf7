"""Run a job at a desk: `dvc repro`, then the table of what it gave."""

import os
import subprocess
import sys
import time
from pathlib import Path

from components.fer import made_faces
from components.fer.errors import FerflowError, InputError
from pipeline import compile as compiled
from pipeline import data, results

DEMO = "demo"
DEMO_FACES = 840
DEMO_SEED = 1


def run(recipe: str | None, force: bool) -> None:
    """Bring the job's data, run `dvc repro` on its dvc.yaml, and print its results."""
    jobs = compiled.jobs()
    if recipe == DEMO:
        return demo(force)
    if recipe is not None and recipe not in jobs.keys() - {compiled.MAIN}:
        raise InputError(f"recipe {recipe}: expected one of {', '.join(jobs.keys() - {compiled.MAIN})}.", "ls recipes")
    if not data.location()[0].is_file():
        try:
            data.pull()
        except InputError as error:
            _say(f"{error}\n\nRunning the demo on drawn faces instead. Its figures say nothing about real faces.\n")
            return demo(force)
    return _reproduce(jobs[recipe or compiled.MAIN], force)


def demo(force: bool = False) -> None:
    """Draw the demo's data set where it is not there yet, and run its recipe."""
    job = compiled.jobs()[DEMO]
    csv = job.folder / "data" / "faces.csv"
    if not csv.is_file():
        csv.parent.mkdir(exist_ok=True)
        unfinished = csv.with_suffix(".unfinished")
        made_faces.write_csv(made_faces.made_faces(DEMO_FACES, DEMO_SEED), unfinished)
        unfinished.replace(csv)
    _reproduce(job, force)


def _reproduce(job: compiled.Job, force: bool) -> None:
    started = time.monotonic()
    # The stages call `python`: it must be the one that has ferflow, also where no environment is activated.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    command = [sys.executable, "-m", "dvc", "repro", str(job.folder / "dvc.yaml"), *(["--force"] if force else [])]
    finished = subprocess.run(command, cwd=compiled.ROOT, env={**os.environ, "PATH": path}, check=False)
    if finished.returncode:
        # DVC's own exit code is 255 whatever a stage said, and its message names the stage above.
        raise FerflowError(f"dvc repro {job.folder.name}: a stage failed; its own message stands above.")
    results.show(job, time.monotonic() - started)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

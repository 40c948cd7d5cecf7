"""Run a job at a desk: `dvc repro`, or its images in Docker; then the table of what it gave."""

import os
import subprocess
import sys
import time
from pathlib import Path

from components.fer import made_faces
from components.fer.errors import FerflowError, InputError
from pipeline import data, jobs, results, times
from pipeline.desk import ROOT
from pipeline.jobs import Job
from pipeline.times import Clock

DEMOS = {"hybrid": "demo", "single": "demo_single", "benchmark": "demo_benchmark"}
"""the recipe that shows each graph"""
DEMO_FACES = 840
DEMO_SEED = 1


def run(recipe: str | None, force: bool, docker: bool = False) -> None:
    """Bring the job's data, run `dvc repro` on its dvc.yaml, or its images, and print its results.

    `dvc repro` ends with the page of the run.
    """
    for graph, name in DEMOS.items():
        if recipe == name:
            return demo(force, graph, docker)
    _, job = jobs.job(recipe)
    if not data.location()[0].is_file():
        try:
            data.pull()
        except InputError as error:
            _say(f"{error}\n\nRunning the demo on drawn faces instead. Its figures say nothing about real faces.\n")
            return demo(force, docker=docker)
    return _start(job, force, docker)


def demo(force: bool = False, graph: str = "hybrid", docker: bool = False) -> None:
    """Draw the demos' data set where it is not there yet, and run the recipe that shows `graph`."""
    known = jobs.jobs()
    csv = known[DEMOS["hybrid"]].folder / "data" / "faces.csv"
    if not csv.is_file():
        csv.parent.mkdir(exist_ok=True)
        unfinished = csv.with_suffix(".unfinished")
        made_faces.write_csv(made_faces.made_faces(DEMO_FACES, DEMO_SEED), unfinished)
        unfinished.replace(csv)
    _start(known[DEMOS[graph]], force, docker)


def _start(job: Job, force: bool, docker: bool) -> None:
    if docker:
        from pipeline import docker as trial  # the Docker SDK and KFP's runner load here

        trial.run(job)
    else:
        _reproduce(job, force)


def _reproduce(job: Job, force: bool) -> None:
    started = time.monotonic()
    # The stages call `python`: it must be the one that has ferflow, also where no environment is activated.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    command = [sys.executable, "-m", "dvc", "repro", str(job.folder / "dvc.yaml"), *(["--force"] if force else [])]
    environment, clock = {**os.environ, "PATH": path}, Clock()
    # The stages tell of their progress on stderr, which stays the terminal's.
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            clock.hear(line)
            _say(line.rstrip("\n"))
    times.keep(job.folder, clock.seconds)
    if process.returncode:
        # DVC's own exit code is 255 whatever a stage said, and its message names the stage above.
        raise FerflowError(f"dvc repro {job.folder.name}: a stage failed; its own message stands above.")
    seconds = time.monotonic() - started
    from pipeline.report import command as page  # it draws: not needed where a stage fails

    page.write(None if job.folder == ROOT else job.folder.name)
    results.show(job, seconds)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

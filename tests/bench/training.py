"""Measure the input pipeline against the published way, and training steps on both backends.

    python -m tests.bench.training [data/fer2013.csv] [--runs 5]

The figures are medians: of rounds within a process for an input pipeline; of processes, which take turns, for a
backend. Drawn faces stand in where there is no FER2013. Exit code 1 where a limit is exceeded.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from components.fer import made_faces
from components.validate.csv_layout import read_csv
from tests.bench.data import IMAGES, mebibytes, say, verdict

MOST_WAITING = 0.03
"""By how much a step on new batches may be longer than a step on one batch that lies on the device."""

PIPELINES = {
    "ours": "ours, to the main job's size",
    "equal": "ours, to 200x200x3",
    "published": "ImageDataGenerator, 200x200x3",
}
BACKENDS = ("tensorflow", "jax")
PRECISIONS = {
    "float32": "float32",
    "mixed_bfloat16": "bfloat16",
    "composed": "bfloat16, Keras' own batch normalisation",
}
"""best_cpu's network; bfloat16 is fast where the CPU multiplies matrices of it (`lscpu | grep amx_bf16`)."""

ROUNDS = 6
"""of each kind of steps in a process"""

Figures = dict[str, float]
"""What a task of `tests.bench.training_work` measured."""


def prepare(csv: Path, folder: Path) -> None:
    """Write the images and labels that all tasks work on."""
    faces = read_csv(str(csv), "", csv).faces if csv.is_file() else made_faces.made_faces(5000, seed=1)
    np.save(folder / "images.npy", faces.images[..., None])
    np.save(folder / "label.npy", faces.label)
    say(f"{len(faces.label):,} images of {csv}" if csv.is_file() else f"{csv} is absent: 5,000 drawn faces stand in")


def measure(task: str, folder: Path, rounds: int) -> Figures:
    """Run a task in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.training_work", task, str(folder), str(rounds), str(time.time())]
    done = subprocess.run(command, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{task} failed:\n{done.stderr}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    say(f"{task}: " + ", ".join(f"{name} {value:,.4g}" for name, value in figures.items()))
    return figures


def medians(runs: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def in_turns(tasks: Sequence[str], folder: Path, runs: int) -> dict[str, Figures]:
    """The medians of tasks that take turns, so that what slows the machine for a while slows all of them."""
    turns = [{task: measure(task, folder, ROUNDS) for task in tasks} for _ in range(runs)]
    return {task: medians([turn[task] for turn in turns]) for task in tasks}


def pipelines(found: Mapping[str, Figures]) -> list[str]:
    """The table of the input pipelines, with ratios to the published way."""
    lines = [f"{'input pipeline':<32}{'images/s':>10}{'CPU ms/image':>14}{'peak memory':>14}{'bytes/image':>13}"]
    for task, name in PIPELINES.items():
        figures = found[task]
        rate, cpu, peak, size = (figures[key] for key in ("rate", "cpu", "peak", "size"))
        lines.append(f"{name:<32}{rate:>10,.0f}{1000 * cpu:>14.3f}{mebibytes(peak):>14}{size:>13,.0f}")
    published = found["published"]
    for task in ("ours", "equal"):
        ratio = found[task]["rate"] / published["rate"]
        lines.append(f"{PIPELINES[task]} / ImageDataGenerator, images/s: {ratio:.1f}")
    ratio, whole = published["size"] / found["ours"]["size"], published["size"] * IMAGES
    return [*lines, f"ImageDataGenerator / ours, bytes held: {ratio:.0f} (all of FER2013: {mebibytes(whole)})"]


def steps(found: Mapping[str, Figures]) -> list[str]:
    """The table of the backends, with their ratios."""
    lines = [f"{'training':<16}{'first step':>12}{'step':>12}{'one batch':>12}{'images/s':>10}{'peak memory':>14}"]
    for backend, figures in found.items():
        first, step, same, rate, peak = (figures[key] for key in ("first", "step", "same", "rate", "peak"))
        times = f"{first:>10.1f} s{1000 * step:>9.1f} ms{1000 * same:>9.1f} ms"
        lines.append(f"{backend:<16}{times}{rate:>10,.0f}{mebibytes(peak):>14}")
    tensorflow, jax = (found[backend] for backend in BACKENDS)
    step, first, peak = (jax[key] / tensorflow[key] for key in ("step", "first", "peak"))
    return [*lines, f"jax / tensorflow: step {step:.2f}, first step {first:.2f}, peak memory {peak:.2f}"]


def precisions(found: Mapping[str, Figures]) -> list[str]:
    """The table of the precisions, with ratios to bfloat16 as the product computes it."""
    lines = [f"{'best_cpu':<44}{'step':>12}{'images/s':>10}"]
    lines += [
        f"{name:<44}{1000 * found[task]['step']:>9.1f} ms{found[task]['rate']:>10,.0f}"
        for task, name in PRECISIONS.items()
    ]
    ours = found["mixed_bfloat16"]["step"]
    others = [
        f"{name} {found[task]['step'] / ours:.2f}" for task, name in PRECISIONS.items() if task != "mixed_bfloat16"
    ]
    return [*lines, f"step over that of bfloat16: {'; '.join(others)}"]


def main() -> None:
    """Measure, print, and exit 1 where a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path, nargs="?", default=Path("data/fer2013.csv"), help="fer2013.csv")
    parser.add_argument("--runs", type=int, default=5, help="runs of each task (default: 5)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ferflow-bench-") as name:
        folder = Path(name)
        prepare(arguments.csv, folder)
        images = {task: measure(task, folder, arguments.runs) for task in PIPELINES}
        training, computing = (in_turns(tasks, folder, arguments.runs) for tasks in (BACKENDS, tuple(PRECISIONS)))
    print("\n".join([*pipelines(images), "", *steps(training), "", *precisions(computing), ""]))  # noqa: T201
    for backend, figures in training.items():
        kept, waiting = verdict(figures["waiting"] <= MOST_WAITING), figures["waiting"]
        print(f"{kept}: {backend}, new batches over one batch: {waiting:+.1%}, limit {MOST_WAITING:+.0%}")  # noqa: T201
    sys.exit(any(figures["waiting"] > MOST_WAITING for figures in training.values()))


if __name__ == "__main__":
    main()

"""Measure `ferflow predict` from a cold start, and its light model against plain `model.predict`.

    python -m tests.bench.predict [--runs 5]

The model is the main job's hybrid with weights as they are before training, which take as long as trained ones. Both
ways are given one image at a time, and 64 at a time; the figures are medians. Exit code 1 where the limit is exceeded.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from components.fer import backend, made_faces
from components.fer.recipe import Recipe
from components.model_store.folder import FolderStore
from components.model_store.promotion import by_gate
from components.serve.runtime import BATCH, NAME, Runtime
from tests.bench.data import verdict
from tests.components.model_store import made
from tests.components.serve.photos import photo, written

FERFLOW = Path(sys.executable).with_name("ferflow")
PARAMS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())

COLD_START = 1.5
"""Seconds for one photo, from the start of the process to its end."""

SECONDS = 3.0
"""for which images are given, in each run"""


def hybrid() -> Any:
    """The main job's network."""
    values = {**PARAMS["training"], **PARAMS["hybrid"], "architecture": PARAMS["backbone_a"]["architecture"]}
    recipe = Recipe.model_validate({name: values[name] for name in Recipe.model_fields})
    backend.select("tensorflow", recipe.seed)
    from components.fer import models

    architectures = (PARAMS[name]["architecture"] for name in ("backbone_a", "backbone_b"))
    branches = [models.extractor(name, recipe.image_size, "none", recipe.batch_norm_momentum) for name in architectures]
    return models.hybrid(recipe, *branches)


def stored(model: Any, folder: Path) -> Path:
    """Make the model the champion of a store, with files as large as those of a real version: its light model."""
    from components.fer import models
    from components.push_model import exported

    models.save(model, folder / "model.keras")
    exported.saved_model(model, folder / "saved_model")
    exported.light(model, folder / "saved_model", folder / NAME)
    weights = next((folder / "saved_model" / "variables").glob("*.data-*"))
    files = {path.name: path.read_bytes() for path in (folder / "model.keras", folder / NAME, weights)}
    store = FolderStore(folder / "models")
    by_gate(store, made.NAME, None, made.make(store, 70, files=files).id, made.verdict("PROMOTE"))
    return folder / NAME


def cold(folder: Path, runs: int) -> float:
    """Median seconds of `ferflow predict PHOTO`, each in a new process."""
    (folder / "photo.jpg").write_bytes(written(photo(), "JPEG"))
    command: list[str | Path] = [
        FERFLOW,
        "predict",
        "--store",
        folder / "models",
        "--name",
        made.NAME,
        folder / "photo.jpg",
    ]
    taken = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[1:])  # the first one finds nothing of it in the page cache


def rate(answer: Callable[[Any], object], count: int, runs: int) -> float:
    """Median images a second, `count` at a time."""
    images = made_faces.made_faces(count, seed=1).images[..., np.newaxis]
    answer(images)
    rates = []
    for _ in range(runs):
        started, done = time.perf_counter(), 0
        while time.perf_counter() - started < SECONDS:
            answer(images)
            done += count
        rates.append(done / (time.perf_counter() - started))
    return statistics.median(rates)


def main() -> None:
    """Measure, print, and exit 1 where the limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs of each measurement (default: 5)")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory(prefix="ferflow-bench-") as name:
        folder = Path(name)
        model = hybrid()
        light = Runtime(stored(model, folder))
        taken = cold(folder, arguments.runs)
        for count in (1, BATCH):
            ours = rate(light.probabilities, count, arguments.runs)
            theirs = rate(lambda images: model.predict(images, verbose=0), count, arguments.runs)
            ratio = f"light {ours:,.0f} images/s, model.predict {theirs:,.0f}, ratio {ours / theirs:.1f}"
            print(f"{count:>3} at a time: {ratio}")  # noqa: T201
    kept = taken <= COLD_START
    print(f"{verdict(kept)}: ferflow predict PHOTO, cold start: {taken:.2f} s, limit {COLD_START:.1f} s")  # noqa: T201
    sys.exit(not kept)


if __name__ == "__main__":
    main()

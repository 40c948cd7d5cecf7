"""Measure what a container adds to a stage: the same command by hand, and in its image as `ferflow run --docker` does.

    python -m tests.bench.docker [--runs 5]

The stages are quick ones on drawn faces, so that what is added shows. Both ways take turns; the figures are medians.
It needs a Docker engine and this tree's images (make images). Exit code 1 where the limit is exceeded.
"""

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import docker

from components.container import IMAGE
from components.fer import made_faces
from pipeline import build, containers
from pipeline import docker as trial

LIMIT = 3.0
"""seconds that a container may add to a stage"""

FACES = 840

COMMANDS = {
    "validate": (
        "--path faces.csv --md5 '' --near-correlation 0.95 --faces-npz faces.npz --masks-npz masks.npz "
        "--audit-json audit.json --data-docs data_docs"
    ),
    "preprocess": (
        "--faces-npz faces.npz --masks-npz masks.npz --drop-copies true --drop-conflicts true --drop-constant true "
        "--shards 1 --prepared-pickle prepared.pickle --prepared-tfrecord prepared.tfrecord --report-json report.json"
    ),
}


def by_hand(words: list[str], folder: Path) -> float:
    """Seconds of the command as a process of this environment."""
    started = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    subprocess.run([sys.executable, *words], cwd=folder, env=environment, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def in_its_image(client: docker.DockerClient, component: str, words: list[str], folder: Path) -> float:
    """Seconds of the command in the component's image, from the making of the container to its removal."""
    image = IMAGE.format(stage=component, version=version("ferflow"))
    binds = {str(folder): {"bind": str(folder), "mode": "rw"}}
    started = time.perf_counter()
    options = trial.options(client.info(), folder)
    end = containers.run(client, image, ["python", *words], (io.StringIO(),), volumes=binds, **options)
    if end.exit_code:
        sys.exit(f"{component} in {image}: exit code {end.exit_code}")
    return time.perf_counter() - started


def main() -> None:
    """Measure, print, and exit 1 where the limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: 5)")
    runs = parser.parse_args().runs
    build.have_engine()
    client, kept = docker.from_env(), True
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made_faces.write_csv(made_faces.made_faces(FACES, seed=1), folder / "faces.csv")
        for component, options in COMMANDS.items():
            words = ["-m", f"components.{component}", *(word.strip("'") for word in options.split())]
            pairs = [(by_hand(words, folder), in_its_image(client, component, words, folder)) for _ in range(runs)]
            hand, image = (statistics.median(column) for column in zip(*pairs, strict=True))
            kept &= image - hand <= LIMIT
            verdict = "PASS" if image - hand <= LIMIT else "FAIL"
            print(  # noqa: T201
                f"{verdict}: {component}: {hand:.2f} s by hand, {image:.2f} s in its image: "
                f"{image - hand:+.2f} s ({image / hand:.2f} times), limit +{LIMIT:.1f} s"
            )
    client.close()
    sys.exit(not kept)


if __name__ == "__main__":
    main()

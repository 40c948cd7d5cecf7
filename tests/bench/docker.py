"""Measure what `ferflow run --docker` adds to a stage, over the same command typed in a shell of the same image.

    python -m tests.bench.docker [--runs 5]

The shell's container waits already, so that interpreter, packages and compiled modules are the same, and what differs
is the making, starting, listening to and removing of a container. Both ways take turns; the figures are medians. It
needs a Docker engine and this tree's images (make images). Exit code 1 where the limit is exceeded.
"""

import argparse
import contextlib
import io
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

import docker
from dvc.repo import Repo

from components.container import IMAGE
from components.fer import made_faces
from pipeline import build, containers, placement
from pipeline import docker as trial
from pipeline.desk import ROOT

LIMIT = 2.0
"""seconds that a container may add to a stage"""

FACES = 840
"""as many as the demo has"""

Run = Callable[[Sequence[str]], None]


def commands() -> dict[str, list[str]]:
    """What is measured: a stage that only answers, and two at work on the demo's data."""
    with Repo(str(ROOT)) as repo:
        stages = repo.stage.load_all(str(ROOT / "recipes" / "demo" / "dvc.yaml"))
        words = {entry.name: shlex.split(entry.cmd) for entry in stages}
    answer = [*words["push-model"][:3], "--help"]
    return {"push-model --help": answer, **{name: words[name] for name in ("validate", "preprocess")}}


@contextlib.contextmanager
def both_ways(client: docker.DockerClient, image: str, folder: Path) -> Iterator[tuple[Run, Run]]:
    """Give two functions that run a command at work in `folder`: by hand, and as `ferflow run --docker` does."""
    how = {"volumes": {str(folder): {"bind": str(folder), "mode": "rw"}}, **trial.options(client.info(), folder)}
    shell = client.containers.run(image, ["sleep", "infinity"], detach=True, **how)

    def by_hand(words: Sequence[str]) -> None:
        assert shell.exec_run(list(words)).exit_code == 0

    def run(words: Sequence[str]) -> None:
        assert containers.run(client, image, words, (io.StringIO(),), **how).exit_code == 0

    try:
        yield by_hand, run
    finally:
        shell.remove(force=True)


def seconds(run: Run, words: Sequence[str]) -> float:
    """Wall-clock seconds of a command."""
    started = time.perf_counter()
    run(words)
    return time.perf_counter() - started


def main() -> None:
    """Measure, print, and exit 1 where the limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: 5)")
    runs = parser.parse_args().runs
    build.have_engine()
    over = False
    with tempfile.TemporaryDirectory() as name, contextlib.closing(docker.from_env()) as client:
        folder = Path(name)
        (folder / "data").mkdir()
        made_faces.write_csv(made_faces.made_faces(FACES, seed=1), folder / "data" / "faces.csv")
        for what, words in commands().items():
            image = IMAGE.format(stage=placement.component(words[2]), version=version("ferflow"))
            with both_ways(client, image, folder) as ways:
                taken = [[seconds(way, words) for way in ways] for _ in range(runs + 1)]
            hand, run = (
                statistics.median(column) for column in zip(*taken[1:], strict=True)
            )  # the first reads the disk
            kept = run - hand <= LIMIT
            over |= not kept
            figures = f"{hand:.2f} s by hand, {run:.2f} s in Docker: {run - hand:+.2f} s ({run / hand:.2f} times)"
            print(f"{'PASS' if kept else 'FAIL'}: {what}: {figures}, limit +{LIMIT:.1f} s")  # noqa: T201
    sys.exit(over)


if __name__ == "__main__":
    main()

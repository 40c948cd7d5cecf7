"""Kill the real training at random moments, and hold its end to that of one that nobody disturbed.

    python -m tests.proof.kill [--epochs 6] [--kills 3] [--seed 1]

One of the main job's backbones on the genuine FER2013, by the commands that DVC would run. The undisturbed training
reads the pickle; the disturbed one reads the TFRecords, is killed without warning (SIGKILL), and started again after
each kill, from a checkpoint: each kill comes later than the first one of its start. Weights, history and predictions of
PublicTest must be the same to the last bit: exit code 1 where not.
"""

import argparse
import csv
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dvc.repo import Repo
from numpy.typing import NDArray

from components.fer import backend, prepared
from components.fer.checkpoint import SECONDS_BETWEEN

ROOT = Path(__file__).resolve().parents[2]
STAGE = "train-backbone-b"
MODEL = Path("artifacts", STAGE, "model.keras")
HISTORY = Path("results", STAGE, "history.csv")
PREPROCESS = Path("artifacts", "preprocess")
PICKLE, TFRECORD = PREPROCESS / "prepared.pickle", PREPROCESS / "prepared.tfrecord"
CHECKPOINTS = Path("artifacts", "checkpoints")

LEAST = 1.5 * SECONDS_BETWEEN
"""Seconds until a start may be killed: enough to begin, and for a checkpoint."""

GOING_ON = "going on from"
"""what a start says that found a checkpoint"""


@dataclass(frozen=True)
class Ended:
    """A process that ended, by itself or not."""

    code: int
    seconds: float
    said: list[str]
    lost: float
    """seconds since it began or last saved a checkpoint: what the next start has to repeat"""


def commands() -> dict[str, list[str]]:
    """The argv of the stages, with the values of params.yaml, as DVC would run them."""
    found = {name: Repo(ROOT).stage.collect(name)[0].cmd for name in ("validate", "preprocess", STAGE)}
    return {name: [sys.executable, *shlex.split(command)[1:]] for name, command in found.items()}


def changed(command: list[str], **values: object) -> list[str]:
    """`command` with other values of some of its options."""
    command = list(command)
    for name, value in values.items():
        command[command.index(f"--{name}") + 1] = str(value)
    return command


def say(line: str) -> None:
    """Print at once, also into a file."""
    print(line, flush=True)  # noqa: T201


def run(command: list[str], place: Path, seconds: float = threading.TIMEOUT_MAX) -> Ended:
    """Run a stage in a workspace, show what it says, and kill it after so many seconds if it still runs."""
    began, clock = time.time(), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.PIPE, text=True) as process:
        killer = threading.Timer(seconds, process.kill)
        killer.daemon = True
        killer.start()
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line.strip())
            say(f"    {line.rstrip()}")
    killer.cancel()
    saved = [path.stat().st_mtime for path in (place / CHECKPOINTS).glob("*/*.npz")]
    return Ended(process.returncode, time.perf_counter() - clock, said, time.time() - max([began, *saved]))


def complete(command: list[str], place: Path) -> Ended:
    """Run a stage that must succeed."""
    ended = run(command, place)
    if ended.code:
        sys.exit(f"{shlex.join(command)}\nended with exit code {ended.code}.")
    return ended


def workspace(folder: Path) -> Path:
    """Make a folder in which the stages find the data, and leave what they write."""
    folder.mkdir()
    (folder / "data").symlink_to(ROOT / "data")
    return folder


def moments(seconds: float, kills: int, seed: int) -> Iterator[float]:
    """Seconds that each start may run: `LEAST`, and what is left of an undisturbed training, divided at random.

    As a killed start only loses time, the training cannot end before the last kill. Exits where it is too short.
    """
    spare = seconds - kills * LEAST
    if spare <= 0:
        sys.exit(
            f"{seconds:.0f} s of training: expected more than {kills * LEAST:.0f} for {kills} kills. More --epochs."
        )
    at = np.sort(np.random.default_rng(seed).uniform(0, spare, kills))
    yield from (LEAST + np.diff(at, prepend=0)).tolist()


def disturb(command: list[str], place: Path, pauses: Iterator[float]) -> tuple[int, int, float]:
    """Train with a kill after each of the pauses.

    Gives the number of kills that met a running training, that of starts that went on from a checkpoint, and the
    seconds lost.
    """
    met, resumed, lost = 0, 0, 0.0
    for number, pause in enumerate(pauses, 1):
        say(f"start {number}, to be killed after {pause:.0f} s")
        ended = run(command, place, pause)
        if ended.code != -signal.SIGKILL:
            say(f"start {number} ended by itself, with exit code {ended.code}, after {ended.seconds:.0f} s")
            return met, resumed, lost
        met, resumed, lost = met + 1, resumed + went_on(ended), lost + ended.lost
        say(f"killed after {ended.seconds:.0f} s, {ended.lost:.0f} s of which are lost; {origin(ended)}")
    say("the last start, undisturbed")
    ended = complete(command, place)
    say(f"ended after {ended.seconds:.0f} s; {origin(ended)}")
    return met, resumed + went_on(ended), lost


def went_on(ended: Ended) -> bool:
    """Whether a start went on from a checkpoint."""
    return any(GOING_ON in line for line in ended.said)


def origin(ended: Ended) -> str:
    """Where a start went on, in its own words."""
    return next((line for line in ended.said if GOING_ON in line), "it had begun from the beginning")


def history(place: Path) -> list[dict[str, str]]:
    """The rows of the history as they are written, but for the seconds."""
    with (place / HISTORY).open(newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def outcome(place: Path) -> tuple[list[NDArray[np.generic]], NDArray[np.float32]]:
    """The weights of the trained model and its predictions of PublicTest (3589, 7)."""
    backend.select("tensorflow", seed=1)
    from components.fer import models

    model = models.load(place / MODEL)
    return model.get_weights(), model.predict(prepared.read(place / PICKLE)["public"].images, verbose=0)


def compare(one: Path, other: Path) -> bool:
    """Print what is the same in two workspaces; whether all is."""
    (weights, answers), (weights_too, answers_too) = outcome(one), outcome(other)
    values = sum(array.size for array in weights)
    pairs = list(zip(weights, weights_too, strict=True))
    apart = max(float(np.abs(mine.astype(np.float64) - theirs.astype(np.float64)).max()) for mine, theirs in pairs)
    same = {
        f"weights: {len(weights)} arrays, {values:,} values, greatest difference {apart:g}": all(
            mine.dtype == theirs.dtype and mine.tobytes() == theirs.tobytes() for mine, theirs in pairs
        ),
        f"history: {len(history(one))} epochs": history(one) == history(other),
        f"predictions of PublicTest: {len(answers):,} images": answers.tobytes() == answers_too.tobytes(),
    }
    for what, equal in same.items():
        say(f"{'SAME' if equal else 'DIFFERENT'}: {what}")
    return all(same.values())


def prove(epochs: int, kills: int, seed: int, folder: Path) -> bool:
    """Train both ways in `folder` and compare; whether the kills left no trace."""
    stages = commands()
    one, other = workspace(folder / "undisturbed"), workspace(folder / "disturbed")
    for name in ("validate", "preprocess"):
        complete(stages[name], one)
    (other / PREPROCESS).parent.mkdir()
    (other / PREPROCESS).symlink_to(one / PREPROCESS)
    training = changed(stages[STAGE], epochs=epochs, checkpoints=CHECKPOINTS)
    say("the undisturbed training, from the pickle")
    seconds = complete(changed(training, data=PICKLE), one).seconds
    say(f"ended after {seconds:.0f} s")
    met, resumed, lost = disturb(changed(training, data=TFRECORD), other, moments(seconds, kills, seed))
    say(f"{met} of {kills} kills met a running training; {lost:.0f} s of training were repeated")
    say(f"{resumed} of {kills} starts after a kill went on from a checkpoint")
    return compare(one, other) and met == resumed == kills


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=6, help="epochs of the training (default: 6)")
    parser.add_argument("--kills", type=int, default=3, help="SIGKILLs (default: 3)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills (default: 1)")
    arguments = parser.parse_args()
    if not (ROOT / "data" / "fer2013.csv").is_file():
        parser.error("data/fer2013.csv: no such file. Fetch FER2013: make data")
    with tempfile.TemporaryDirectory(prefix="ferflow-proof-") as name:
        same = prove(arguments.epochs, arguments.kills, arguments.seed, Path(name))
    say("PASS: the kills left no trace" if same else "FAIL: the kills left a trace")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()

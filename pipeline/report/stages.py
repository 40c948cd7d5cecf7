"""The stages of a run: what each waits for, whether it is up to date, how long it took and what that would cost."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from components.fer.errors import FerflowError
from pipeline import placement, times
from pipeline.jobs import Job
from pipeline.report.prices import Prices

State = Literal["up to date", "ran elsewhere", "changed", "no record"]

STATES: dict[State, str] = {
    "up to date": "ran, and its inputs, parameters, code and outputs are still those",
    "ran elsewhere": "ran, and its inputs, parameters and code are still those; its files are not on this machine",
    "changed": "ran, and its inputs, parameters or code are others now",
    "no record": "dvc.lock has no run of it",
}
"""What the states mean."""

Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Stage:
    """A stage of the graph, and its last run."""

    name: str
    description: str
    needs: tuple[str, ...]
    """stages whose outputs it reads"""
    state: State
    differing: tuple[str, ...]
    """what is not as it was: files, and parameters by name"""
    seconds: float | None
    """none where nobody measured"""
    training_alone: bool
    """whether the seconds are those of the training loop, for want of the whole stage's"""
    machine: str
    """type of machine that a cluster would give it"""
    spot: bool
    cost: float | None
    """price of as many seconds of that machine"""


def read(job: Job, lock: Tree, table: placement.Table, prices: Prices) -> tuple[Stage, ...]:
    """The stages of a job; `lock` is what dvc.lock says of each.

    Raises `FerflowError` where DVC cannot say how they are.
    """
    definition = yaml.load((job.folder / "dvc.yaml").read_text(), Loader=yaml.CSafeLoader)["stages"]
    return tuple(stages(definition, lock, _status(job.folder), _seconds(job.folder, lock), table, prices))


def stages(
    definition: Tree,
    lock: Tree,
    status: Tree,
    seconds: Mapping[str, tuple[float, bool]],
    table: placement.Table,
    prices: Prices,
) -> Iterator[Stage]:
    """The stages that a dvc.yaml defines, in its order, by what `dvc status` says and how long each took.

    `seconds` come with whether they are those of a training alone.
    """
    makers = {path: name for name, entry in definition.items() for path in _outputs(entry)}
    for name, entry in definition.items():
        state, differing = _state(status.get(name, ())) if name in lock else ("no record", ())
        took, alone = seconds.get(name, (None, False))
        pool = table.pools[table.stages[placement.component(entry["cmd"].split()[2])].pool]
        price = prices.per_hour(pool)
        yield Stage(
            name=name,
            description=entry["desc"],
            needs=tuple(dict.fromkeys(makers[path] for path in entry["deps"] if path in makers)),
            state=state,
            differing=differing,
            seconds=took,
            training_alone=alone,
            machine=pool.machine_type,
            spot=pool.spot,
            cost=None if took is None or price is None else took / 3600 * price,
        )


def _outputs(entry: Tree) -> Iterator[str]:
    for kind in ("outs", "metrics", "plots"):
        for output in entry.get(kind, ()):
            yield output if isinstance(output, str) else next(iter(output))


def _state(changes: Any) -> tuple[State, tuple[str, ...]]:
    """State of a stage that ran, by the entries of `dvc status` for it, and what differs."""
    found = dict(_changes(changes))
    absent = {"deleted", "not in cache"}
    differing = tuple(name for name, how in found.items() if how not in absent)
    if differing:
        return "changed", differing
    return ("ran elsewhere", tuple(found)) if found else ("up to date", ())


def _changes(entries: Any) -> Iterator[tuple[str, str]]:
    """What differs, and how: files, parameters, and the command where that is all that DVC says."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry.removeprefix("changed "), "modified"
            continue
        for files in entry.values():
            for path, how in files.items():
                yield from how.items() if isinstance(how, dict) else ((path, how),)


def _status(folder: Path) -> Tree:
    """What DVC says of the stages that are not as dvc.lock has them."""
    command = [sys.executable, "-m", "dvc", "status", "--json", "dvc.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FerflowError(f"dvc status in {folder}: {done.stderr.strip()}", "Run the same command again.")
    found: Tree = json.loads(done.stdout)
    return found


def _seconds(folder: Path, lock: Tree) -> dict[str, tuple[float, bool]]:
    """Seconds of each stage that was timed, or else of its training, which says so itself."""
    alone = {
        path.parent.name: (json.loads(path.read_text())["seconds"], True)
        for path in sorted(folder.glob("results/train*/metrics.json"))
    }
    return alone | {name: (seconds, False) for name, seconds in times.of_runs(folder, lock).items()}

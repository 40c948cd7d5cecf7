"""A drift proposes a retraining, once: the same drift of the same version within the cool-down is the same proposal.

It is for a person, or for `--submit`, to act on. Nothing here, or anywhere in this package, moves a champion: what a
retraining gives has to pass the gate.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from components.fer.errors import FerflowError, InputError
from pipeline.monitor.judged import Finding, Judged
from pipeline.monitor.sample import Kind

NAME = "proposal.json"

KEPT = 100
"""proposals, the newest ones"""


class Proposal(BaseModel):
    """A retraining that a drift gives reason for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    version: str
    kinds: tuple[Kind, ...]
    """what drifted"""
    when: AwareDatetime
    """of the first alarm"""
    seen: AwareDatetime
    """of the last one"""
    alarms: int
    command: str
    """what starts the retraining"""
    submitted: AwareDatetime | None
    """when it was begun to be handed to the cluster"""
    judged: Judged
    """of the first alarm"""

    @property
    def drifted(self) -> tuple[Finding, ...]:
        """The figures beyond their limits."""
        return tuple(finding for finding in self.judged.findings if finding.drifts)


class Proposals(BaseModel):
    """The content of `proposal.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    proposals: tuple[Proposal, ...] = ()
    """oldest first"""


def proposed(
    known: Proposals, model: str, judged: Judged, command: str, now: datetime, cool_down: timedelta
) -> tuple[Proposals, Proposal]:
    """The proposals after an alarm, and the one that it belongs to.

    It belongs to one of the same version whose cool-down lasts, and to which everything that drifts now had drifted.
    """
    for place, one in enumerate(known.proposals):
        same = (one.model, one.version) == (model, judged.version) and set(judged.kinds) <= set(one.kinds)
        if same and now - one.when < cool_down:
            again = one.model_copy(update={"seen": now, "alarms": one.alarms + 1})
            return Proposals(proposals=(*known.proposals[:place], again, *known.proposals[place + 1 :])), again
    new = Proposal(
        model=model,
        version=judged.version,
        kinds=judged.kinds,
        when=now,
        seen=now,
        alarms=1,
        command=command,
        submitted=None,
        judged=judged,
    )
    return Proposals(proposals=(*known.proposals, new)[-KEPT:]), new


def propose(folder: Path, model: str, judged: Judged, command: str, now: datetime, cool_down: timedelta) -> Proposal:
    """Write into the folder's `proposal.json` what an alarm proposes, and give it."""
    with _held(folder) as path:
        after, mine = proposed(_read(path), model, judged, command, now, cool_down)
        _write(path, after)
    return mine


def submit_once(folder: Path, proposal: Proposal, now: datetime, submit: Callable[[], None]) -> bool:
    """Call `submit` unless it was called for this proposal; whether it was called now.

    That it is called is written first: after a crash in between nothing is submitted twice. Where `submit` raises
    `FerflowError` it started nothing, and the next alarm may try again.
    """
    if not _claim(folder, proposal, now):
        return False
    try:
        submit()
    except FerflowError:
        _claim(folder, proposal, None)
        raise
    return True


def _claim(folder: Path, proposal: Proposal, when: datetime | None) -> bool:
    """Write when the proposal was submitted; false where another did so."""
    with _held(folder) as path:
        known = _read(path)
        mine = next((one for one in known.proposals if _identity(one) == _identity(proposal)), None)
        if mine is None or (when is not None and mine.submitted is not None):
            return False
        now = mine.model_copy(update={"submitted": when})
        _write(path, Proposals(proposals=tuple(now if one is mine else one for one in known.proposals)))
    return True


def _identity(one: Proposal) -> tuple[str, str, tuple[Kind, ...], datetime]:
    return one.model, one.version, one.kinds, one.when


@contextmanager
def _held(folder: Path) -> Iterator[Path]:
    """Give the path of the proposals, which no other process changes meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{NAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / NAME


def _read(path: Path) -> Proposals:
    try:
        return Proposals.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Proposals()
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"])) or "file"
        raise InputError(
            f"proposals {path}: expected what ferflow monitor writes, received: {where}: {fault['msg']}.",
            "Move the file away: a new one is begun, and what it proposed may be proposed once more.",
        ) from error


def _write(path: Path, proposals: Proposals) -> None:
    part = path.with_name(f".{NAME}")  # one name is enough: the lock's holder alone writes it
    part.write_text(proposals.model_dump_json(indent=2) + "\n")
    part.replace(path)

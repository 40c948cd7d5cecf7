"""Checkpoints: what a training needs to go on, bit for bit, after whatever stopped it.

    <place>/<identity>/step-00001234-<sha256>.npz     the state behind step 1234; the last two are kept

The identity is a digest of everything that decides the outcome: data, parameters, code. So two trainings never meet,
and a training that was changed begins afresh beside its old checkpoints. A checkpoint appears whole or not at all, and
its name has its content's hash: what a crash or a disk left damaged is passed over for the one before.
"""

import hashlib
import io
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.fer import stage
from components.fer.dataset import DAMAGE, Prepared
from components.fer.errors import InputError
from components.fer.recipe import Recipe
from components.storage import blobs

log = logging.getLogger("ferflow")

SECONDS_BETWEEN = 120.0
"""What a kill without warning costs at most; a stop by SIGTERM costs nothing."""

KEPT = 2

NAME = re.compile(r"step-(\d{8,})-([0-9a-f]{64})\.npz")

Arrays = dict[str, NDArray[Any]]


class Checkpoint(NamedTuple):
    """A saved state."""

    arrays: Arrays
    course: Mapping[str, Any]
    """the state's part that is no array, as JSON"""


@dataclass(frozen=True)
class Identity:
    """Everything that decides the outcome of a training."""

    data: str
    """sha256 of the prepared data set, in whichever form it came"""
    inputs: Mapping[str, str]
    """sha256 of each other input, and of each file that a parameter names"""
    parameters: Mapping[str, Any]
    code: Mapping[str, str]
    """sha256 of the sources, versions of the libraries"""

    @property
    def digest(self) -> str:
        """Names the folder of the checkpoints."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def difference(self, other: Mapping[str, Any]) -> str:
        """The first thing by which a saved identity differs from this one, in words."""
        for part, mine in asdict(self).items():
            theirs = other.get(part)
            if mine == theirs:
                continue
            if isinstance(mine, dict) and isinstance(theirs, dict):
                name = next(key for key in [*mine, *theirs] if mine.get(key) != theirs.get(key))
                return f"{part}.{name}: expected {mine.get(name)}, received {theirs.get(name)}"
            return f"{part}: expected {mine}, received {theirs}"
        return ""


@dataclass
class Checkpoints:
    """The checkpoints of one training."""

    place: blobs.Blobs
    identity: Identity
    saved_at: float = field(default_factory=time.monotonic)

    @property
    def due(self) -> bool:
        """Whether the last save is long enough ago."""
        return time.monotonic() - self.saved_at > SECONDS_BETWEEN

    def save(self, step: int, arrays: Arrays, course: Mapping[str, Any]) -> None:
        """Keep the state behind `step`, and of the older ones the newest.

        Raises `TemporaryError` where the place cannot take it.
        """
        described = {"identity": asdict(self.identity), "course": course}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, described=_as_array(described), **arrays)
        content = buffer.getvalue()
        written = f"step-{step:08d}-{_sha256(content)}.npz"
        self.place.write(written, content)
        names = self._names()
        # Newer than what was just written are damaged ones alone: from a whole one the training would have gone on.
        damaged = [name for name in names if name > written]
        for name in damaged + names[len(damaged) + KEPT :]:
            self.place.remove(name)
        self.saved_at = time.monotonic()

    def latest(self) -> Checkpoint | None:
        """The newest whole checkpoint, or none; a damaged one is passed over with a warning.

        Raises `InputError` where a checkpoint is of another training: somebody put it there.
        """
        for name in self._names():
            content = self.place.read(name)
            if not name.endswith(f"-{_sha256(content)}.npz"):
                log.warning("checkpoint %s: damaged or half-written, passed over.", self.place.where(name))
                continue
            return self._checked(name, content)
        return None

    def clear(self) -> None:
        """Remove all: the training is done."""
        for name in self._names():
            self.place.remove(name)

    def _names(self) -> list[str]:
        """Names of the checkpoints, newest first."""
        return sorted((name for name in self.place.names() if NAME.fullmatch(name)), reverse=True)

    def _checked(self, name: str, content: bytes) -> Checkpoint:
        where = self.place.where(name)
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                arrays = dict(file)
            described = json.loads(arrays.pop("described").tobytes())
            found, identity = Checkpoint(arrays, described["course"]), described["identity"]
        except (*DAMAGE, TypeError) as error:
            raise InputError(f"checkpoint {where}: expected a training's state, received: {error}", _MEND) from error
        if difference := self.identity.difference(identity):
            raise InputError(f"checkpoint {where}: it is of another training. {difference}.", _MEND)
        return found


_MEND = "Remove it, or give another --checkpoints."


def checkpoints(config: Recipe, data: Prepared) -> Checkpoints | None:
    """The checkpoints of the training that `config` and `data` describe; none where it names no place for them."""
    if not config.checkpoints:
        return None
    inputs = {name: getattr(config, name) for name in config.marked(stage.Input) if name != "data"}
    files = {name: path for name, path in inputs.items() if path is not None}
    files |= {str(path): path for path in config.files() if path not in files.values()}
    parameters = {name: getattr(config, name) for name in config.parameters() if name != "checkpoints"}
    package = Path(__file__).resolve().parents[1] / type(config).__module__.split(".")[-2]
    identity = Identity(
        data=_data_sha256(data),
        inputs={name: _sha256(path.read_bytes()) for name, path in files.items()},
        parameters=parameters,
        code={
            "sources": _sources_sha256(package),
            "keras": version("keras"),
            "numpy": version("numpy"),
            config.backend: import_module(config.backend).__version__,  # the distribution has several names
        },
    )
    return Checkpoints(blobs.open_blobs(config.checkpoints, identity.digest), identity)


def _as_array(described: Any) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(described).encode(), np.uint8)


def _data_sha256(data: Prepared) -> str:
    """Of what a training reads of Training and PublicTest, in their order."""
    digest = hashlib.sha256()
    for split in ("training", "public"):
        for array in data[split].columns().values():
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _sources_sha256(package: Path) -> str:
    """Of the Python files of the stage and of the domain library."""
    digest = hashlib.sha256()
    for folder in (package, Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            content = path.read_bytes()
            digest.update(f"{path.name} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

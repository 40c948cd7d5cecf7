"""What the tests of stores do in other processes: be killed at a chosen step, and race."""

import io
import multiprocessing
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, NoReturn

import google.cloud.storage.blob
import requests

from components.fer.errors import TemporaryError
from components.model_store import bucket
from components.model_store.records import Verdict, promoted
from components.model_store.store import Store, open_store

# A server that forks: a test process has threads (TensorFlow's), which must not be forked, and a fresh interpreter
# for each step would take minutes. The module that it loads has the libraries of all stores and registries.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["pytest", "tests.components.registry.faults"])

NAME = "m"
BETTER = Verdict("PROMOTE", ("better",), "majority class", 0.05, None)
KILLED = 9


@dataclass(frozen=True)
class Place:
    """A store's address, and in what way another process gets there."""

    address: str
    endpoint: str = ""
    """of the bucket's server"""

    def open(self) -> Store:
        """Open the store, in whatever process."""
        if self.endpoint:
            os.environ["STORAGE_EMULATOR_HOST"] = self.endpoint
        return open_store(self.address)


def write(folder: Path) -> None:
    """Two files, one of them deeper."""
    (folder / "model.keras").write_text("weights")
    (folder / "saved_model" / "variables").mkdir(parents=True)
    (folder / "saved_model" / "variables" / "data").write_text("more weights")


def write_much(folder: Path) -> None:
    """The same, with a file of several parts."""
    write(folder)
    (folder / "model.keras").write_bytes(bytes(range(256)) * 2400)


def push(store: Store, candidate: str, write: Callable[[Path], None] = write) -> str:
    """Store a candidate and make it champion, as the stage does: nothing is done twice. Gives its version."""
    champion = store.champion(NAME)
    version = store.find(NAME, candidate) or store.add(NAME, candidate, write)
    if champion is None or champion.version != version.id:
        store.move_champion(NAME, champion, promoted(champion, version.id, BETTER, datetime.now(UTC)))
    return version.id


class Steps:
    """Counts calls, and ends the process before call number `last`.

    Before one call is after the one before it: counted up to the end, the steps leave no moment out.
    """

    def __init__(self, last: int) -> None:
        self.calls, self.last = 0, last

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, as a step."""

        def call(*arguments: Any, **keywords: Any) -> Any:
            self.calls += 1
            if self.calls == self.last:
                die()
            return function(*arguments, **keywords)

        return call

    def end(self) -> None:
        """Be sure that the process is alive because all steps were done."""
        if self.calls >= self.last:
            raise AssertionError("survived")


def push_and_die_at_a_file(place: Place, candidate: str, step: int) -> None:
    """`push`, but killed before a call to the file system, or half-way through where it writes text."""
    steps = Steps(step)
    original = io.open

    def torn(path: Path, text: str) -> None:
        steps.calls += 1
        with original(path, "w") as file:
            file.write(text[: len(text) // 2] if steps.calls == step else text)
        if steps.calls == step:
            die()

    store = place.open()
    for module, names in (
        (os, ("rename", "replace", "fsync", "mkdir", "chmod", "open", "rmdir", "unlink")),
        (io, ("open",)),
    ):
        for name in names:
            setattr(module, name, steps.counted(getattr(module, name)))
    shutil.rmtree = steps.counted(shutil.rmtree)  # type: ignore[assignment]
    Path.write_text = torn  # type: ignore[assignment, method-assign]
    push(store, candidate)
    steps.end()


def push_and_die_at_a_request(place: Place, candidate: str, step: int) -> None:
    """`push` with a file that is uploaded in parts, but killed before a request to the bucket."""
    steps = Steps(step)
    store = place.open()
    google.cloud.storage.blob._MAX_MULTIPART_SIZE = 10_000
    bucket.PART = 256 * 1024
    requests.Session.send = steps.counted(requests.Session.send)
    push(store, candidate, write_much)
    steps.end()


def race(place: Place, candidate: str, rounds: int, start: Barrier, outcomes: "Queue[tuple[int, str, str]]") -> None:
    """In each round, read the champion, wait for the other, and try to become champion."""
    store = place.open()
    version = store.add(NAME, candidate, write).id
    for number in range(rounds):
        start.wait()
        champion = store.champion(NAME)
        start.wait()
        try:
            store.move_champion(NAME, champion, promoted(champion, version, BETTER, datetime.now(UTC)))
            outcomes.put((number, version, "won"))
        except TemporaryError as error:
            outcomes.put((number, version, str(error)))


def add_all(place: Place, candidates: Sequence[str], start: Barrier, outcomes: "Queue[list[str]]") -> None:
    """Store candidates, beginning each one at the same time as the other."""
    store = place.open()
    found = []
    for candidate in candidates:
        start.wait()
        found.append(store.add(NAME, candidate, write).id)
    outcomes.put(found)


def die() -> NoReturn:
    """End at once, as by SIGKILL: nothing is cleaned up."""
    os._exit(KILLED)

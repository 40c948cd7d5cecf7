"""What the store's tests do in other processes: be killed at a chosen step, and race for the champion."""

import io
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, NoReturn

from components.fer.errors import TemporaryError
from components.push_model.records import Verdict, promoted
from components.push_model.store import FolderStore

NAME = "m"
BETTER = Verdict("PROMOTE", ("better",), "majority class", 0.05, None)
KILLED = 9


def write(folder: Path) -> None:
    """Two files, one of them deeper."""
    (folder / "model.keras").write_text("weights")
    (folder / "saved_model" / "variables").mkdir(parents=True)
    (folder / "saved_model" / "variables" / "data").write_text("more weights")


def push(root: Path, candidate: str) -> str:
    """Store a candidate and make it champion, as the stage does: nothing is done twice. Gives its version."""
    store = FolderStore(root)
    champion = store.champion(NAME)
    version = store.find(NAME, candidate) or store.add(NAME, candidate, write)
    if champion is None or champion.version != version.id:
        store.move_champion(NAME, champion, promoted(champion, version.id, BETTER, datetime.now(UTC)))
    return version.id


def push_and_die(root: Path, candidate: str, step: int) -> None:
    """`push`, but killed before its call number `step` to the file system, or half-way through where it writes text.

    Before one call is after the one before it: counted up to the end, the steps leave no moment out.
    """
    calls = 0

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls != step:
                return function(*arguments, **keywords)
            return _die()

        return call

    def torn(path: Path, text: str) -> None:
        nonlocal calls
        calls += 1
        with original(path, "w") as file:
            file.write(text[: len(text) // 2] if calls == step else text)
        if calls == step:
            _die()

    original = io.open
    for module, names in (
        (os, ("rename", "replace", "fsync", "mkdir", "chmod", "open", "rmdir", "unlink")),
        (io, ("open",)),
    ):
        for name in names:
            setattr(module, name, dying(getattr(module, name)))
    shutil.rmtree = dying(shutil.rmtree)  # type: ignore[assignment]
    Path.write_text = torn  # type: ignore[assignment, method-assign]
    push(root, candidate)
    if calls >= step:
        raise AssertionError("survived")


def race(root: Path, candidate: str, rounds: int, start: Barrier, outcomes: "Queue[tuple[int, str, str]]") -> None:
    """In each round, read the champion, wait for the other, and try to become champion."""
    store = FolderStore(root)
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


def _die() -> NoReturn:
    os._exit(KILLED)

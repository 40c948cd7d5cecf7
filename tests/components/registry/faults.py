"""A promotion that is killed before a chosen call of the store or of a registry.

The calls are counted where the product meets what is not its own: the file system, the requests to a bucket, the calls
of MLflow's client, the requests to Kubeflow Model Registry. Before one call is after the one before it, so that steps
counted up to the end leave no moment out.
"""

import os

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # it is read when mlflow is imported

import io
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import mlflow  # noqa: F401  # so that processes that are forked from one with this module have it
import model_registry.core  # noqa: F401
import requests

from components.model_store import promotion
from components.model_store.store import Store
from components.registry import mirrors, mlflow_mirror
from components.registry.entries import aliases, entries
from tests.components.model_store.made import NAME, make, verdict
from tests.components.model_store.processes import KILLED, Place, die, processes

PROMOTE = verdict("PROMOTE")


@dataclass(frozen=True)
class Scene:
    """A store, and registries that show it."""

    place: Place
    registry: str


class Calls:
    """Calls that are counted; the process ends before number `last`, after it wrote that call's name to `told`."""

    def __init__(self, last: int, told: Path) -> None:
        self.number, self.last, self.paused = 0, last, False
        self._told = os.open(told, os.O_WRONLY | os.O_CREAT)

    def step(self, name: str) -> None:
        """Count a call, and die if it is the last. What a library does inside of a call is not counted."""
        self.number += not self.paused
        if self.number == self.last:
            os.write(self._told, name.encode())
            die()

    def counted(self, function: Callable[..., Any], name: str = "", inside: bool = True) -> Callable[..., Any]:
        """`function`, as a call; `inside` says whether calls inside of it count too."""

        def call(*arguments: Any, **keywords: Any) -> Any:
            self.step(name or function.__qualname__)
            with nullcontext() if inside else self.pause():
                return function(*arguments, **keywords)

        return call

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Count nothing."""
        before, self.paused = self.paused, True
        try:
            yield
        finally:
            self.paused = before


class Counted:
    """MLflow's client, as calls; what it does to files is its own business."""

    def __init__(self, client: Any, calls: Calls) -> None:
        self._client, self._calls = client, calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.counted(getattr(self._client, name), f"MLflow {name}", inside=False)


def push(store: Store) -> None:
    """Store a better model and promote it by the gate."""
    champion = store.champion(NAME)
    version = make(store, 70).id
    promotion.by_gate(store, NAME, champion, version, PROMOTE)


def promote(store: Store) -> None:
    """Promote by a person what the gate has held."""
    promotion.by_person(store, NAME, store.champion(NAME), store.versions(NAME)[1].id, "ada", "")


def rollback(store: Store) -> None:
    """Go back to the champion before."""
    promotion.back(store, NAME, store.champion(NAME), "ada", "")


MOVES = {"push": push, "promote": promote, "rollback": rollback}

OLD_AND_NEW = {
    "push": (("0001", 1), ("0002", 2)),
    "promote": (("0001", 1), ("0002", 2)),
    "rollback": (("0002", 2), ("0001", 3)),
}
"""By move: the number of the version that serves and of the moves, before and after."""


def begin(move: str, scene: Scene) -> None:
    """Make what a move starts from: a champion, perhaps a second version, and registries that show them."""
    store = scene.place.open()
    promotion.by_gate(store, NAME, None, make(store, 60).id, PROMOTE)
    if move == "promote":
        make(store, 61, "HOLD")
    if move == "rollback":
        push(store)
    mirrors.mirror(scene.registry, NAME, store)


def move_and_die(move: str, scene: Scene, last: int, told: Path) -> None:
    """Make a move and mirror it, but be killed before call number `last`, or half-way through where it writes text."""
    calls = Calls(last, told)
    store = scene.place.open()
    _count_files(calls)
    _count_requests(calls)
    MOVES[move](store)
    mirrors.mirror(scene.registry, NAME, store)
    assert calls.number < last


def killed(move: str, scene: Scene, last: int, told: Path) -> str:
    """Let a process make a move, and be killed before call number `last`; gives the call, nothing if there was none.

    Then the store has one champion, and whole versions; and one sync puts every registry right.
    """
    victim = processes.Process(target=move_and_die, args=(move, scene, last, told))
    victim.start()
    victim.join()
    assert victim.exitcode in (0, KILLED)
    store = scene.place.open()
    for version in store.versions(NAME):
        with store.fetched(NAME, version.id):
            pass  # whole, or it is refused
    mirrors.mirror(scene.registry, NAME, store)
    champion = store.champion(NAME)
    for address in mirrors.addresses(scene.registry):
        assert mirrors.lagging(address, NAME, entries(NAME, store, champion), aliases(champion)) == []
    return told.read_text()


def champion(scene: Scene) -> tuple[str, int]:
    """Number of the version that serves, and of the moves."""
    found = scene.place.open().champion(NAME)
    assert found is not None
    return found.version[:4], len(found.history)


def _count_files(calls: Calls) -> None:
    original = io.open

    def torn(path: Path, text: str) -> None:
        # No name is written before half of the text is.
        calls.number += not calls.paused
        last = calls.number == calls.last
        with original(path, "w") as file:
            file.write(text[: len(text) // 2] if last else text)
        if last:
            calls.number -= 1
            calls.step("half of Path.write_text")

    for name in ("rename", "replace", "fsync", "mkdir", "chmod", "open", "rmdir", "unlink"):
        setattr(os, name, calls.counted(getattr(os, name), f"os.{name}"))
    io.open = calls.counted(original, "io.open")
    shutil.rmtree = calls.counted(shutil.rmtree)  # type: ignore[assignment]
    Path.write_text = torn  # type: ignore[assignment, method-assign]


def _count_requests(calls: Calls) -> None:
    send = requests.Session.send

    def counted_send(session: Any, request: Any, **keywords: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            return send(session, request, **keywords)  # Google's client looks where the bucket is, for its own traces
        calls.step(f"storage {request.method}")
        with calls.pause():
            return send(session, request, **keywords)

    ask = aiohttp.ClientSession._request

    async def counted_ask(session: Any, method: str, url: str, **keywords: Any) -> Any:
        calls.step(f"Model Registry {method} {url.partition('/v1/')[2].partition('?')[0]}")
        return await ask(session, method, url, **keywords)

    make_client = mlflow_mirror._client

    def client(address: str) -> Any:
        with calls.pause():
            return Counted(make_client(address), calls)

    requests.Session.send = counted_send
    aiohttp.ClientSession._request = counted_ask  # type: ignore[assignment, method-assign]
    mlflow_mirror._client = client

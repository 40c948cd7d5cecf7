"""The law of model stores, wherever they are: whole and immutable versions, one champion, whatever happens."""

import json
import queue
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.fer.errors import InputError, TemporaryError
from components.model_store import manifest
from components.model_store.folder import FolderStore
from components.model_store.records import promoted
from components.model_store.store import Store, open_store
from tests.components.model_store.processes import (
    BETTER,
    KILLED,
    NAME,
    Place,
    add_all,
    processes,
    push,
    push_and_die_at_a_file,
    push_and_die_at_a_request,
    race,
    write,
)

FIRST, SECOND = "1a2b3c4d" * 8, "5e6f7a8b" * 8


def ids(store: Store) -> list[str]:
    return [version.id for version in store.versions(NAME)]


def test_a_version_is_named_by_its_number_and_its_content(store: Store) -> None:
    assert [store.add(NAME, candidate, write).id for candidate in (FIRST, SECOND)] == ["0001-1a2b3c4d", "0002-5e6f7a8b"]
    assert ids(store) == ["0001-1a2b3c4d", "0002-5e6f7a8b"]
    assert store.versions("other") == []


def test_the_same_candidate_is_stored_once(store: Store) -> None:
    first = store.add(NAME, FIRST, write)
    store.add(NAME, SECOND, write)
    assert store.add(NAME, FIRST, write) == first
    assert store.find(NAME, FIRST) == first
    assert len(store.versions(NAME)) == 2


def test_candidates_that_share_eight_digits_are_told_apart(store: Store) -> None:
    store.add(NAME, FIRST, write)
    assert store.find(NAME, FIRST[:8] + SECOND[8:]) is None


def test_a_version_is_given_back_as_it_was_stored(store: Store) -> None:
    version = store.add(NAME, FIRST, write).id
    with store.fetched(NAME, version) as folder:
        described = json.loads((folder / "manifest.json").read_text())
        assert len(described.pop("seal")) == 64
        assert (folder / "model.keras").read_text() == "weights"
        assert (folder / "saved_model" / "variables" / "data").read_text() == "more weights"
    assert described == {
        "candidate": FIRST,
        "files": {
            "model.keras": {
                "sha256": "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c",
                "size": 7,
            },
            "saved_model/variables/data": {
                "sha256": "854030fb3b2e20cdc4f323fac1a74d980f9a1129324cdde500b576150a78437f",
                "size": 12,
            },
        },
    }
    assert store.read(NAME, version, "saved_model/variables/data") == b"more weights"


def test_a_file_that_a_version_never_had_is_missing(store: Store) -> None:
    version = store.add(NAME, FIRST, write)
    with pytest.raises(InputError) as raised:
        store.read(NAME, version.id, "lineage.json")
    assert str(raised.value) == (
        f"version {version.address}: lineage.json is missing.\n"
        "Restore the version from a backup, or push the model to another store."
    )


def test_a_failed_push_leaves_no_version(store: Store) -> None:
    def fail(folder: Path) -> None:
        write(folder)
        raise InputError("no model")

    with pytest.raises(InputError, match="no model"):
        store.add(NAME, FIRST, fail)
    assert store.versions(NAME) == []


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([f"{number:08x}" * 8 for number in range(4)]), max_size=8))
def test_history_is_the_list_of_changes(candidates: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder))
        pushed = [push(store, candidate) for candidate in candidates]
        assert [version[5:] for version in ids(store)] == [c[:8] for c in dict.fromkeys(candidates)]
        champion = store.champion(NAME)
        changes = [version for index, version in enumerate(pushed) if index == 0 or version != pushed[index - 1]]
        history = champion.history if champion else ()
        assert [move.version for move in history] == changes
        assert [move.previous for move in history] == [None, *changes][: len(changes)]


def test_the_champion_moves_only_from_what_was_expected(store: Store) -> None:
    push(store, FIRST)
    stale = store.champion(NAME)
    push(store, SECOND)
    with pytest.raises(TemporaryError) as raised:
        store.move_champion(NAME, stale, promoted(stale, "0001-1a2b3c4d", BETTER, datetime.now(UTC)))
    assert str(raised.value) == (
        "champion of m: expected 0001-1a2b3c4d, found 0002-5e6f7a8b: another was faster.\n"
        "Run the same command again: it looks at the new champion."
    )


def in_processes(work: Callable[..., None], arguments: list[tuple[Any, ...]], count: int) -> list[Any]:
    """Run `work` in two processes that start together; gives the so many things that they put into their queue."""
    start, outcomes = processes.Barrier(2, timeout=60), processes.Queue()
    racers = [processes.Process(target=work, args=(*more, start, outcomes)) for more in arguments]
    return _outcomes(racers, outcomes, count)


def in_threads(work: Callable[..., None], arguments: list[tuple[Any, ...]], count: int) -> list[Any]:
    """The same in two threads."""
    start, outcomes = threading.Barrier(2, timeout=60), queue.Queue[Any]()
    racers = [threading.Thread(target=work, args=(*more, start, outcomes)) for more in arguments]
    return _outcomes(racers, outcomes, count)


def _outcomes(racers: list[Any], outcomes: Any, count: int) -> list[Any]:
    for racer in racers:
        racer.start()
    found = [outcomes.get(timeout=60) for _ in range(count)]
    for racer in racers:
        racer.join()
    return found


@pytest.mark.parametrize(("together", "rounds"), [(in_processes, 200), (in_threads, 10)])
def test_two_race_for_the_champion_and_one_wins(place: Place, together: Callable[..., Any], rounds: int) -> None:
    told = together(race, [(place, candidate, rounds) for candidate in (FIRST, SECOND)], 2 * rounds)
    champion = place.open().champion(NAME)
    assert champion is not None
    winners = [[version for number, version, said in told if number == n and said == "won"] for n in range(rounds)]
    assert [[move.version] for move in champion.history] == winners
    losers = [said for _, _, said in told if said != "won"]
    assert len(losers) == rounds
    assert all("another was faster" in said for said in losers)


@pytest.mark.parametrize("together", [in_processes, in_threads])
def test_racing_pushes_give_each_candidate_one_number(place: Place, together: Callable[..., Any]) -> None:
    both, mine, others = (tuple(f"{digit}{number}" * 32 for number in range(5)) for digit in "abc")
    orders = [[c for pair in zip(both, own, strict=True) for c in pair] for own in (mine, others)]
    found = [version for told in together(add_all, [(place, order) for order in orders], 2) for version in told]
    stored = ids(place.open())
    assert [version[:4] for version in stored] == [f"{number:04d}" for number in range(1, 16)]
    assert sorted(version[5:] for version in stored) == sorted(c[:8] for c in (*both, *mine, *others))
    assert set(found) == set(stored)


@pytest.mark.parametrize(
    ("where", "killed", "least"),
    [("folder", push_and_die_at_a_file, 40), ("bucket", push_and_die_at_a_request, 18)],
)
def test_killed_at_any_step_the_champion_is_whole_and_the_next_push_heals(
    where: str, killed: Callable[[Place, str, int], None], least: int, request: pytest.FixtureRequest
) -> None:
    base: Place = request.getfixturevalue(where)
    step, survived = 0, False
    while not survived:
        step += 1
        place = Place(f"{base.address}/{step}", base.endpoint)
        push(place.open(), FIRST)
        victim = processes.Process(target=killed, args=(place, SECOND, step))
        victim.start()
        victim.join()
        survived = victim.exitcode == 0
        assert survived or victim.exitcode == KILLED
        store = place.open()
        champion = store.champion(NAME)
        assert champion is not None
        assert champion.version in ("0001-1a2b3c4d", "0002-5e6f7a8b")
        for version in ids(store):
            with store.fetched(NAME, version):
                pass  # whole, or it is refused
        assert push(store, SECOND) == "0002-5e6f7a8b"
        healed = store.champion(NAME)
        assert healed is not None
        assert (healed.version, healed.previous, len(healed.history)) == ("0002-5e6f7a8b", "0001-1a2b3c4d", 2)
        assert ids(store) == ["0001-1a2b3c4d", "0002-5e6f7a8b"]
    assert step > least  # the steps were counted, not just tried


@pytest.mark.parametrize("address", ["s3://bucket/models", "https://host/models"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(InputError) as raised:
        open_store(address)
    assert str(raised.value) == (
        f"model store {address}: expected a folder or gs://BUCKET/PREFIX, received an address of another kind.\n"
        "Give a folder, e.g. --store models, or a bucket, e.g. --store gs://BUCKET/models"
    )


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    with pytest.raises(InputError) as raised:
        open_store(str(tmp_path / "models"))
    assert str(raised.value) == (
        f"model store {tmp_path}/models: expected a folder, found a file.\nGive another --store."
    )


def test_a_folder_is_opened_without_google(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "components.model_store.bucket", None)
    assert open_store(str(tmp_path)) == FolderStore(tmp_path)
    assert manifest.NAME == "manifest.json"

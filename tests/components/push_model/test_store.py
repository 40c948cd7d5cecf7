"""The model store: whole and immutable versions, one champion, whatever happens."""

import fcntl
import json
import multiprocessing
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.fer.errors import InputError, TemporaryError
from components.push_model import manifest
from components.push_model.records import promoted
from components.push_model.store import FolderStore, open_store
from tests.components.push_model.processes import BETTER, KILLED, NAME, push, push_and_die, race, write

FIRST, SECOND = "1a2b3c4d" * 8, "5e6f7a8b" * 8

# A server that forks: a test process has threads (TensorFlow's), which must not be forked, and a fresh interpreter
# for each step would take minutes.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["pytest", "tests.components.push_model.processes"])


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "models")


def test_a_version_is_named_by_its_number_and_its_content(store: FolderStore) -> None:
    assert [store.add(NAME, candidate, write).id for candidate in (FIRST, SECOND)] == ["0001-1a2b3c4d", "0002-5e6f7a8b"]
    assert [version.id for version in store.versions(NAME)] == ["0001-1a2b3c4d", "0002-5e6f7a8b"]
    assert store.versions("other") == []


def test_the_same_candidate_is_stored_once(store: FolderStore) -> None:
    first = store.add(NAME, FIRST, write)
    store.add(NAME, SECOND, write)
    assert store.add(NAME, FIRST, write) == first
    assert store.find(NAME, FIRST) == first
    assert len(store.versions(NAME)) == 2


def test_candidates_that_share_eight_digits_are_told_apart(store: FolderStore) -> None:
    store.add(NAME, FIRST, write)
    assert store.find(NAME, FIRST[:8] + SECOND[8:]) is None


def test_versions_are_in_the_order_of_their_numbers_beyond_four_digits(store: FolderStore) -> None:
    store.add(NAME, FIRST, write)
    folder = store.versions(NAME)[0].folder
    folder.rename(folder.with_name("9999-1a2b3c4d"))
    store.add(NAME, SECOND, write)
    assert [version.id for version in store.versions(NAME)] == ["9999-1a2b3c4d", "10000-5e6f7a8b"]


def test_a_version_is_whole_readable_by_all_and_writable_by_none(store: FolderStore) -> None:
    folder = store.add(NAME, FIRST, write).folder
    described = json.loads((folder / "manifest.json").read_text())
    assert described["candidate"] == FIRST
    assert described["files"]["saved_model/variables/data"] == {
        "sha256": "854030fb3b2e20cdc4f323fac1a74d980f9a1129324cdde500b576150a78437f",
        "size": 12,
    }
    assert sorted(described["files"]) == ["model.keras", "saved_model/variables/data"]
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o444}
    assert folder.stat().st_mode & 0o777 == 0o755
    manifest.verify(folder)


def test_a_failed_push_leaves_nothing(store: FolderStore) -> None:
    def fail(folder: Path) -> None:
        write(folder)
        raise InputError("no model")

    with pytest.raises(InputError, match="no model"):
        store.add(NAME, FIRST, fail)
    assert store.versions(NAME) == []
    assert leftovers(store) == []


def test_only_what_killed_pushes_left_is_removed(store: FolderStore) -> None:
    store.add(NAME, FIRST, write)
    dead, alive = (store.root / NAME / f".unfinished-{name}" for name in ("dead", "alive"))
    dead.mkdir()
    alive.mkdir()
    handle = os.open(alive, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    store.add(NAME, SECOND, write)
    assert leftovers(store) == [alive]
    os.close(handle)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([f"{number:08x}" * 8 for number in range(4)]), max_size=8))
def test_history_is_the_list_of_changes(candidates: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder))
        pushed = [push(store.root, candidate) for candidate in candidates]
        assert [version.id[5:] for version in store.versions(NAME)] == [c[:8] for c in dict.fromkeys(candidates)]
        for version in store.versions(NAME):
            manifest.verify(version.folder)
        champion = store.champion(NAME)
        changes = [version for index, version in enumerate(pushed) if index == 0 or version != pushed[index - 1]]
        history = champion.history if champion else ()
        assert [move.version for move in history] == changes
        assert [move.previous for move in history] == [None, *changes][: len(changes)]


def test_the_champion_moves_only_from_what_was_expected(store: FolderStore) -> None:
    push(store.root, FIRST)
    stale = store.champion(NAME)
    push(store.root, SECOND)
    with pytest.raises(TemporaryError) as raised:
        store.move_champion(NAME, stale, promoted(stale, "0001-1a2b3c4d", BETTER, datetime.now(UTC)))
    assert str(raised.value) == (
        "champion of m: expected 0001-1a2b3c4d, found 0002-5e6f7a8b: another push was faster.\n"
        "Run the same command again: it compares with the new champion."
    )


def test_two_processes_race_for_the_champion(store: FolderStore) -> None:
    rounds = 20
    start, outcomes = processes.Barrier(2, timeout=60), processes.Queue()
    racers = [processes.Process(target=race, args=(store.root, c, rounds, start, outcomes)) for c in (FIRST, SECOND)]
    for racer in racers:
        racer.start()
    told = [outcomes.get(timeout=60) for _ in range(2 * rounds)]
    for racer in racers:
        racer.join()
    champion = store.champion(NAME)
    assert champion is not None
    winners = [[version for number, version, said in told if number == n and said == "won"] for n in range(rounds)]
    assert [[move.version] for move in champion.history] == winners
    losers = [said for _, _, said in told if said != "won"]
    assert len(losers) == rounds
    assert all("another push was faster" in said for said in losers)


def test_killed_at_any_step_the_champion_is_whole_and_the_next_push_heals(tmp_path: Path) -> None:
    step, survived = 0, False
    while not survived:
        step += 1
        store = FolderStore(tmp_path / str(step))
        push(store.root, FIRST)
        victim = processes.Process(target=push_and_die, args=(store.root, SECOND, step))
        victim.start()
        victim.join()
        survived = victim.exitcode == 0
        assert survived or victim.exitcode == KILLED
        champion = store.champion(NAME)
        assert champion is not None
        assert champion.version in ("0001-1a2b3c4d", "0002-5e6f7a8b")
        for version in store.versions(NAME):
            manifest.verify(version.folder)
        assert push(store.root, SECOND) == "0002-5e6f7a8b"
        healed = store.champion(NAME)
        assert healed is not None
        assert (healed.version, healed.previous, len(healed.history)) == ("0002-5e6f7a8b", "0001-1a2b3c4d", 2)
        assert [version.id for version in store.versions(NAME)] == ["0001-1a2b3c4d", "0002-5e6f7a8b"]
        push(store.root, "0" * 64)
        assert leftovers(store) == []
    assert step > 20  # the steps were counted, not just tried


@pytest.mark.parametrize("address", ["gs://bucket/models", "s3://bucket"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(InputError) as raised:
        open_store(address)
    assert str(raised.value) == (
        f"model store {address}: expected a folder, received an address of another kind.\n"
        "Give a folder, e.g. --store models"
    )


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    with pytest.raises(InputError) as raised:
        open_store(str(tmp_path / "models"))
    assert str(raised.value) == (
        f"model store {tmp_path}/models: expected a folder, found a file.\nGive another --store."
    )


def test_a_file_where_the_models_folder_should_be_is_no_traceback(store: FolderStore) -> None:
    store.root.mkdir()
    (store.root / NAME).write_text("")
    with pytest.raises((InputError, TemporaryError), match=f"^model store {store.root / NAME}: "):
        store.add(NAME, FIRST, write)


def test_a_full_disk_is_a_fault_that_may_pass(store: FolderStore) -> None:
    def fail(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(TemporaryError) as raised:
        store.add(NAME, FIRST, fail)
    assert str(raised.value) == (
        f"model store {store.root}/m: [Errno 28] No space left on device.\nRun the same command again."
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "record: Invalid JSON: EOF while parsing a value at line 1 column 0"),
        ('{"version": "0001-1a2b3c4d", "previous": null}', "history: Field required"),
        (
            '{"version": "0001-1a2b3c4d", "previous": null, "history": []}',
            "record: Value error, version and previous are not those of the last move in history",
        ),
    ],
)
def test_a_broken_champion_record_is_named(store: FolderStore, content: str, said: str) -> None:
    push(store.root, FIRST)
    path = store.root / NAME / "champion.json"
    path.write_text(content)
    with pytest.raises(InputError) as raised:
        store.champion(NAME)
    assert str(raised.value) == (
        f"champion record {path}: expected what push-model writes, received: {said}.\n"
        f"Restore the file from a backup; the versions in {path.parent}/versions are whole."
    )


def test_a_champion_without_its_version_is_named(store: FolderStore) -> None:
    version = store.version(NAME, push(store.root, FIRST))
    version.folder.rename(store.root / "elsewhere")
    with pytest.raises(InputError, match=r"champion\.json: version 0001-1a2b3c4d is not in .*versions\.\nRestore the"):
        store.champion(NAME)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: _rewrite(folder / "model.keras", "Weights"), "model.keras is not what was stored (its sha256"),
        (lambda folder: (folder / "model.keras").unlink(), "model.keras is missing."),
        (lambda folder: (folder / "more").write_text(""), "more was not there when the version was stored."),
        (lambda folder: _rewrite(folder / "manifest.json", "{"), "expected a whole manifest.json, found none."),
    ],
)
def test_a_changed_version_is_refused_by_name(store: FolderStore, spoil: object, said: str) -> None:
    folder = store.add(NAME, FIRST, write).folder
    assert callable(spoil)
    spoil(folder)
    with pytest.raises(InputError) as raised:
        manifest.verify(folder)
    assert str(raised.value).startswith(f"version {folder}: {said}")


def _rewrite(path: Path, text: str) -> None:
    path.chmod(0o644)
    path.write_text(text)


def leftovers(store: FolderStore) -> list[Path]:
    return [path for path in (store.root / NAME).iterdir() if path.name.startswith(".unfinished")]

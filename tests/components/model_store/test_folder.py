"""A model store in a folder: locks, permissions, faults of the disk."""

import fcntl
import os
from pathlib import Path

import pytest

from components.fer.errors import InputError, TemporaryError
from components.model_store.folder import FolderStore
from tests.components.model_store.processes import NAME, push, write

FIRST, SECOND = "1a2b3c4d" * 8, "5e6f7a8b" * 8


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "models")


def added(store: FolderStore, candidate: str = FIRST) -> Path:
    return Path(store.add(NAME, candidate, write).address)


def test_versions_are_in_the_order_of_their_numbers_beyond_four_digits(store: FolderStore) -> None:
    folder = added(store)
    folder.rename(folder.with_name("9999-1a2b3c4d"))
    added(store, SECOND)
    assert [version.id for version in store.versions(NAME)] == ["9999-1a2b3c4d", "10000-5e6f7a8b"]


def test_a_version_is_readable_by_all_and_writable_by_none(store: FolderStore) -> None:
    folder = added(store)
    assert folder == store.root / NAME / "versions" / "0001-1a2b3c4d"
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o444}
    assert folder.stat().st_mode & 0o777 == 0o755


def test_a_failed_push_leaves_nothing(store: FolderStore) -> None:
    def fail(folder: Path) -> None:
        write(folder)
        raise InputError("no model")

    with pytest.raises(InputError, match="no model"):
        store.add(NAME, FIRST, fail)
    assert leftovers(store) == []


def test_only_what_killed_pushes_left_is_removed(store: FolderStore) -> None:
    added(store)
    dead, alive = (store.root / NAME / f".unfinished-{name}" for name in ("dead", "alive"))
    dead.mkdir()
    alive.mkdir()
    handle = os.open(alive, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    added(store, SECOND)
    assert leftovers(store) == [alive]
    os.close(handle)


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
    push(store, FIRST)
    path = store.root / NAME / "champion.json"
    path.write_text(content)
    with pytest.raises(InputError) as raised:
        store.champion(NAME)
    assert str(raised.value) == (
        f"champion record {path}: expected what push-model writes, received: {said}.\n"
        f"Restore the file from a backup; the versions in {path.parent}/versions are whole."
    )


def test_a_champion_without_its_version_is_named(store: FolderStore) -> None:
    push(store, FIRST)
    Path(store.versions(NAME)[0].address).rename(store.root / "elsewhere")
    with pytest.raises(InputError, match=r"champion\.json: version 0001-1a2b3c4d is not in .*versions\.\nRestore the"):
        store.champion(NAME)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: rewrite(folder / "model.keras", "Weights"), "model.keras is not what was stored (its sha256"),
        (lambda folder: (folder / "model.keras").unlink(), "model.keras is missing."),
        (lambda folder: (folder / "more").write_text(""), "more was not there when the version was stored."),
        (lambda folder: rewrite(folder / "manifest.json", "{"), "expected a whole manifest.json, found none."),
    ],
)
def test_a_changed_version_is_refused_by_name(store: FolderStore, spoil: object, said: str) -> None:
    folder = added(store)
    assert callable(spoil)
    spoil(folder)
    with pytest.raises(InputError) as raised, store.fetched(NAME, folder.name):
        pass
    assert str(raised.value).startswith(f"version {folder}: {said}")


def rewrite(path: Path, text: str) -> None:
    path.chmod(0o644)
    path.write_text(text)


def leftovers(store: FolderStore) -> list[Path]:
    return [path for path in (store.root / NAME).iterdir() if path.name.startswith(".unfinished")]


def test_a_manifest_with_any_byte_changed_is_refused_by_name(store: FolderStore) -> None:
    folder = added(store)
    path = folder / "manifest.json"
    stored = path.read_bytes()
    path.chmod(0o644)
    for place in range(len(stored) - 1):  # the last one is a line break
        path.write_bytes(stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :])
        with pytest.raises(InputError) as raised, store.fetched(NAME, folder.name):
            pass
        assert str(raised.value).startswith(f"version {folder}: expected a whole manifest.json, found none.")

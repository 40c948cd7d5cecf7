"""A model store in a bucket: what the network and the service may do to it."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import google.cloud.storage.blob
import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage

from components.fer.errors import InputError, TemporaryError
from components.model_store import bucket as module
from components.model_store.records import promoted
from components.model_store.store import Store, open_store
from components.storage import gcs
from tests.components.buckets import Fault, Proxy
from tests.components.conftest import Bucket
from tests.components.model_store.processes import BETTER, NAME, Place, push, write, write_much

FIRST, SECOND = "1a2b3c4d" * 8, "5e6f7a8b" * 8
AGAIN = "Run the same command again."


@pytest.fixture
def store(bucket: Place) -> Store:
    return bucket.open()


@pytest.fixture
def proxy(gs: Bucket) -> Proxy:
    return gs.proxy


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up after a quarter of a second."""
    monkeypatch.setattr(gcs, "PATIENCE", 0.25)


def objects(store: Any) -> Any:
    """The bucket itself, as Google's client sees it."""
    return storage.Client(project="test").bucket(store.bucket.name)


def address(store: Any) -> str:
    return f"gs://{store.bucket.name}/models/m"


def names(store: Any) -> list[str]:
    """All objects of the model, without the random part of their names."""
    found = (blob.name.removeprefix(f"models/{NAME}/") for blob in objects(store).list_blobs())
    return sorted(name[:14] + name[31:] if name.startswith("files/") else name for name in found)


def test_the_server_of_these_tests_refuses_a_stale_generation(store: Store) -> None:
    blob = objects(store).blob("one")
    blob.upload_from_string("first", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        objects(store).blob("one").upload_from_string("second", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        objects(store).blob("one").upload_from_string("second", if_generation_match=blob.generation - 1)


def test_what_lies_where(store: Store) -> None:
    push(store, FIRST)
    assert names(store) == [
        "champion.json",
        "files/1a2b3c4d/model.keras",
        "files/1a2b3c4d/saved_model/variables/data",
        "versions/0001.json",
    ]
    version = store.versions(NAME)[0]
    folder = version.address.rpartition("/")[2]
    assert version.address.startswith(f"gs://{objects(store).name}/models/m/files/1a2b3c4d-")
    record = json.loads(objects(store).blob("models/m/versions/0001.json").download_as_bytes())
    assert (record["version"], record["folder"]) == ("0001-1a2b3c4d", folder)


def test_a_bucket_needs_no_prefix(gs: Bucket) -> None:
    push(open_store(gs.address), FIRST)
    assert storage.Client(project="test").bucket(gs.address[5:]).get_blob("m/champion.json") is not None


def test_versions_are_in_the_order_of_their_numbers_beyond_four_digits(store: Store) -> None:
    store.add(NAME, FIRST, write)
    bucket = objects(store)
    blob = bucket.blob("models/m/versions/0001.json")
    text = blob.download_as_text().replace("0001-", "9999-")
    bucket.blob("models/m/versions/9999.json").upload_from_string(text)
    blob.delete()
    store = open_store(f"gs://{bucket.name}/models")
    store.add(NAME, SECOND, write)
    assert [version.id for version in store.versions(NAME)] == ["9999-1a2b3c4d", "10000-5e6f7a8b"]


@pytest.mark.parametrize("fault", [503, 429, "cut", "lost"])
def test_a_fault_that_passes_is_not_noticed(store: Store, proxy: Proxy, fault: Fault) -> None:
    push(store, FIRST)
    proxy.fail(fault, times=1, method="POST", target="ifGenerationMatch=0")  # the record of the version
    version = store.add(NAME, SECOND, write)
    assert version.id == "0002-5e6f7a8b"
    assert [found.id for found in store.versions(NAME)] == ["0001-1a2b3c4d", "0002-5e6f7a8b"]


def test_a_champion_that_moved_though_the_answer_was_lost_has_moved(store: Store, proxy: Proxy) -> None:
    first = store.add(NAME, FIRST, write)
    champion = promoted(None, first.id, BETTER, datetime.now(UTC))
    proxy.fail("lost", times=1, method="POST")
    store.move_champion(NAME, None, champion)
    assert store.champion(NAME) == champion


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (503, "503 made up"),
        (429, "429 made up"),
        ("cut", "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))"),
    ],
)
def test_a_fault_that_stays_is_told_in_time_as_one_that_may_pass(
    store: Store, proxy: Proxy, fault: Fault, said: str
) -> None:
    proxy.fail(fault)
    started = time.monotonic()
    with pytest.raises(TemporaryError) as raised:
        store.add(NAME, FIRST, write)
    assert time.monotonic() - started < 10
    assert raised.value.exit_code == 75
    assert str(raised.value) == f"model store {address(store)}: {said}.\n{AGAIN}"


def test_google_itself_waits_minutes() -> None:
    assert gcs.retry()._timeout == gcs.PATIENCE == 120.0


@pytest.mark.parametrize(
    ("status", "said", "mend"),
    [
        (403, "403 made up", gcs.CREDENTIALS),
        (401, "no Google credentials found", gcs.CREDENTIALS),
        (400, "400 made up", "Make the bucket, or give the address of one that is there."),
    ],
)
def test_a_refusal_is_told_at_once(store: Store, proxy: Proxy, status: int, said: str, mend: str) -> None:
    proxy.fail(status)
    with pytest.raises(InputError) as raised:
        store.add(NAME, FIRST, write)
    assert str(raised.value) == f"model store {address(store)}: {said}.\n{mend}"
    assert len([target for _, target in proxy.requests if "/o?" in target]) == 1  # Google's client looks for more


def test_a_bucket_that_is_not_there_is_named(gs: Bucket) -> None:
    with pytest.raises(InputError) as raised:
        open_store("gs://nowhere/models").versions(NAME)
    assert str(raised.value) == (
        "model store gs://nowhere/models/m: 404 Not Found.\nMake the bucket, or give the address of one that is there."
    )


def test_an_address_without_bucket_is_refused() -> None:
    with pytest.raises(InputError) as raised:
        open_store("gs:///models")
    assert str(raised.value) == (
        "model store gs:///models: expected gs://BUCKET/PREFIX, found no bucket.\n"
        "Give one, e.g. --store gs://BUCKET/models"
    )


def test_without_credentials_it_is_said_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(InputError) as raised:
        open_store("gs://bucket/models")
    assert str(raised.value) == f"model store gs://bucket/models: no Google credentials found.\n{gcs.CREDENTIALS}"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("part", [1, 2, 3])
def test_an_interrupted_upload_leaves_nothing_visible(
    store: Store, proxy: Proxy, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google.cloud.storage.blob, "_MAX_MULTIPART_SIZE", 10_000)
    monkeypatch.setattr(module, "PART", 256 * 1024)
    parts = 0

    def rule(method: str, target: str) -> Fault:
        nonlocal parts
        parts += method == "PUT"
        return "cut" if parts >= part else None

    proxy.rule = rule
    with pytest.raises(TemporaryError):
        store.add(NAME, FIRST, write_much)
    proxy.fail(None)
    assert parts >= part
    assert store.versions(NAME) == []
    assert store.find(NAME, FIRST) is None
    assert names(store) == []
    assert push(store, FIRST, write_much) == "0001-1a2b3c4d"
    with store.fetched(NAME, "0001-1a2b3c4d") as folder:
        assert (folder / "model.keras").stat().st_size == 614_400


def test_a_download_that_breaks_off_goes_on(store: Store, proxy: Proxy) -> None:
    store.add(NAME, FIRST, write_much)
    proxy.fail("half", times=1, target="model.keras")
    with store.fetched(NAME, "0001-1a2b3c4d") as folder:
        assert (folder / "model.keras").stat().st_size == 614_400


def test_a_corrupt_download_is_noticed(store: Store, proxy: Proxy) -> None:
    store.add(NAME, FIRST, write)
    proxy.fail("corrupt", target="model.keras")
    with pytest.raises(TemporaryError) as raised, store.fetched(NAME, "0001-1a2b3c4d"):
        pass
    assert str(raised.value) == (
        f"model store {address(store)}: what arrived is not what was sent (its checksum differs).\n{AGAIN}"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"Weights", "model.keras is not what was stored (its sha256 differs)."), (None, "model.keras is missing.")],
)
def test_a_changed_version_is_refused_by_name(store: Store, content: bytes | None, said: str) -> None:
    version = store.add(NAME, FIRST, write)
    blob = objects(store).blob(f"{version.address.partition('/models/')[2].join(('models/', ''))}/model.keras")
    if content is None:
        blob.delete()
    else:
        blob.upload_from_string(content)
    expected = (
        f"version {version.address}: {said}\nRestore the version from a backup, or push the model to another store."
    )
    with pytest.raises(InputError) as raised, store.fetched(NAME, version.id):
        pass
    assert str(raised.value) == expected
    with pytest.raises(InputError) as raised:
        store.read(NAME, version.id, "model.keras")
    assert str(raised.value) == expected


def test_a_broken_record_is_named(bucket: Place) -> None:
    store = bucket.open()
    store.add(NAME, FIRST, write)
    objects(store).blob("models/m/versions/0001.json").upload_from_string("{")
    with pytest.raises(InputError) as raised:
        bucket.open().versions(NAME)
    assert str(raised.value) == (
        f"version {bucket.address}/m/versions/0001.json: expected a whole record, found none.\n"
        "Restore the version from a backup, or push the model to another store."
    )


def test_a_champion_without_its_version_is_named(bucket: Place) -> None:
    store = bucket.open()
    push(store, FIRST)
    objects(store).blob("models/m/versions/0001.json").delete()
    with pytest.raises(InputError) as raised:
        bucket.open().champion(NAME)
    assert str(raised.value) == (
        f"champion record {bucket.address}/m/champion.json: version 0001-1a2b3c4d is not in "
        f"{bucket.address}/m/versions.\nRestore the version's objects from a backup."
    )


def test_what_a_push_left_that_died_is_removed_when_it_is_old(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add(NAME, FIRST, write)
    objects(store).blob("models/m/files/5e6f7a8b-0123456789abcdef/model.keras").upload_from_string("a part")
    store.add(NAME, SECOND, write)
    assert "files/5e6f7a8b/model.keras" in names(store)
    assert len(names(store)) == 7  # two versions of a record and two files, and what was left
    monkeypatch.setattr(module, "LITTER_AGE", 0.0)
    store.add(NAME, "9" * 64, write)
    assert len(names(store)) == 9
    for version in store.versions(NAME):
        with store.fetched(NAME, version.id):
            pass


def test_a_push_whose_files_may_be_taken_for_litter_gives_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_PUSH", 0.0)
    with pytest.raises(TemporaryError) as raised:
        store.add(NAME, FIRST, write)
    assert str(raised.value) == (
        f"model store {address(store)}: storing took longer than 0 hours.\n"
        "See to the network, then run the same command again."
    )
    assert store.versions(NAME) == []


def test_a_long_transfer_says_how_far_it_is(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("components.storage.progress.SECONDS_BETWEEN_LINES", 0.0)
    caplog.set_level("INFO", "ferflow")
    version = store.add(NAME, FIRST, write_much)
    assert f"storing {version.address}: 1 of 1 MB, " in caplog.text
    assert " MB/s, 0:00 left" in caplog.text

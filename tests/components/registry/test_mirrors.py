"""Several registries at once: addresses, faults, and what a store's versions come to."""

from pathlib import Path

import pytest

from components.fer.errors import InputError, TemporaryError
from components.model_store import manifest, promotion
from components.model_store.folder import FolderStore
from components.model_store.versions import Version
from components.registry import mirrors
from components.registry.entries import aliases, entries
from tests.components.model_store.made import MD5, NAME, make, verdict
from tests.components.registry.model_registry_server import Server

# MLflow's own tables still use what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """A champion, and a version that is held."""
    made = FolderStore(tmp_path / "models")
    promotion.by_gate(made, NAME, None, make(made, 60).id, verdict("PROMOTE"))
    commit = {"commit": "3f6c48d", "dirty": True, "images": {}, "parameters": {"training__seed": 1}, "run": "a-run"}
    make(made, 61, "HOLD", provenance=commit)
    return made


def test_entries_are_what_the_store_has(store: FolderStore) -> None:
    champion = store.champion(NAME)
    first, second = entries(NAME, store, champion)
    assert first.tags == {
        "data_md5": MD5,
        "manifest_sha256": store.manifest(NAME, first.version).seal,
        "verdict": "PROMOTE",
        "private_opened": "1",
    }
    assert second.tags["verdict"] == "HOLD"
    assert (second.tags["commit"], second.tags["run"]) == ("3f6c48d-dirty", "a-run")
    assert first.metrics == {"public.accuracy": 0.6, "temperature": 1.1}
    assert aliases(champion) == {"champion": first.version, "previous": None}


@pytest.fixture
def both(mlflow_address: str, server: Server) -> str:
    """An MLflow and a Kubeflow Model Registry, both empty."""
    return f"{mlflow_address},kubeflow+{server.host}"


def damage(version: Version, file: str = "metrics.json") -> None:
    """Flip a bit in the middle of a file."""
    path = Path(version.address, file)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def lagging(registry: str, store: FolderStore) -> list[str]:
    """What any registry does not say as it shall."""
    champion = store.champion(NAME)
    wanted, named = entries(NAME, store, champion), aliases(champion)
    return [line for address in mirrors.addresses(registry) for line in mirrors.lagging(address, NAME, wanted, named)]


@pytest.mark.parametrize("file", ["metrics.json", "lineage.json", "manifest.json"])
def test_a_damaged_version_is_named_and_left_as_it_is_there(
    store: FolderStore, both: str, file: str, caplog: pytest.LogCaptureFixture
) -> None:
    """All else is brought up to date: the champion too, where it moves to or from that version."""
    first, held = store.versions(NAME)
    mirrors.mirror(both, NAME, store)
    damage(first, file)
    promotion.by_person(store, NAME, store.champion(NAME), held.id, "ada", "")
    third = make(store, 70)
    mirrors.mirror(both, NAME, store)
    (record,) = caplog.records
    assert (record.levelname, record.getMessage().startswith(f"{NAME} {first.id} is damaged, so")) == ("WARNING", True)
    assert record.getMessage().endswith(f"Look: ferflow models verify {first.id}")
    assert file in record.getMessage()
    assert lagging(both, store) == []
    for address in mirrors.addresses(both):
        shown = mirrors.shown(address, NAME)
        assert shown.aliases == {"champion": held.id, "previous": first.id}
        assert sorted(shown.versions) == [first.id, held.id, third.id]


def test_no_alias_is_of_a_damaged_version_that_a_registry_never_had(
    store: FolderStore, both: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, held = store.versions(NAME)
    mirrors.mirror(both, NAME, store)
    third = make(store, 70)
    promotion.by_person(store, NAME, store.champion(NAME), third.id, "ada", "")
    damage(third)
    mirrors.mirror(both, NAME, store)
    _, *told = [record.getMessage() for record in caplog.records]
    assert told == [
        f"registry {address}: alias champion stays as it is there, for it has not {third.id}, which is damaged. "
        "Restore the version from a backup, then: ferflow models sync"
        for address in mirrors.addresses(both)
    ]
    assert lagging(both, store) == []
    for address in mirrors.addresses(both):
        shown = mirrors.shown(address, NAME)
        assert shown.aliases == {"champion": first.id, "previous": first.id}
        assert sorted(shown.versions) == [first.id, held.id]


def test_where_every_version_is_damaged_the_aliases_follow_all_the_same(store: FolderStore, both: str) -> None:
    first, held = store.versions(NAME)
    mirrors.mirror(both, NAME, store)
    promotion.by_person(store, NAME, store.champion(NAME), held.id, "ada", "")
    damage(first)
    damage(held)
    mirrors.mirror(both, NAME, store)
    for address in mirrors.addresses(both):
        assert mirrors.shown(address, NAME).aliases == {"champion": held.id, "previous": first.id}


@pytest.mark.parametrize(
    "content", ["{broken", "[1]", '{"public": {"accuracy": NaN}}', '{"temperature": 1e999}', "\xff"]
)
def test_metrics_that_no_registry_takes_are_damage_though_the_manifest_has_them(
    store: FolderStore, both: str, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, held = store.versions(NAME)
    folder = Path(first.address)
    (folder / "metrics.json").chmod(0o644)
    (folder / "metrics.json").write_text(content, "latin-1")
    (folder / "manifest.json").chmod(0o644)
    described = manifest.describe(folder, manifest.read(folder).candidate)
    (folder / "manifest.json").write_text(described.model_dump_json())
    mirrors.mirror(both, NAME, store)
    assert "metrics.json" in caplog.records[0].getMessage()
    assert list(mirrors.shown(mirrors.addresses(both)[0], NAME).versions) == [held.id]


def test_all_are_brought_up_to_date_though_one_cannot_be_reached(
    store: FolderStore, mlflow_address: str, server: Server
) -> None:
    nowhere = "kubeflow+http://127.0.0.1:9"
    with pytest.raises(TemporaryError) as raised:
        mirrors.mirror(f"{nowhere}, {mlflow_address},kubeflow+{server.host}", NAME, store)
    assert str(raised.value).startswith(f"registry {nowhere}: Cannot connect to host 127.0.0.1:9")
    assert str(raised.value).endswith(f"\n{mirrors.MEND}")
    champion = store.champion(NAME)
    for address in (mlflow_address, f"kubeflow+{server.host}"):
        assert mirrors.lagging(address, NAME, entries(NAME, store, champion), aliases(champion)) == []
    with pytest.raises(TemporaryError, match=r"^registry kubeflow\+http://127.0.0.1:9: Cannot connect"):
        mirrors.lagging(nowhere, NAME, [], {})


def test_an_unreachable_mlflow_is_a_fault_that_may_pass(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TemporaryError) as raised:
        mirrors.mirror("http://user:secret@127.0.0.1:9", NAME, store)
    assert str(raised.value).startswith("registry http://127.0.0.1:9: ")
    assert "secret" not in str(raised.value)
    assert caplog.records == []


def test_a_file_that_is_no_database_is_a_message(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to have a header that can be read" * 20)
    with pytest.raises(TemporaryError, match="file is not a database"):
        mirrors.mirror(f"sqlite:///{tmp_path}/mlflow.db", NAME, store)


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///mlflow.db",
        "http://mlflow:5000",
        "postgresql+psycopg2://h/mlflow",
        "kubeflow+https://registry:443",
        "sqlite:///mlflow.db,kubeflow+http://registry:8080",
    ],
)
def test_addresses_of_registries_are_accepted(address: str) -> None:
    mirrors.check(address)


@pytest.mark.parametrize(
    "address",
    ["", "mlruns", "./mlflow.db", "file:///mlruns", "databricks", "gs://bucket/x", "kubeflow+ftp://h", "kubeflow://h"],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(InputError) as raised:
        mirrors.check(f"sqlite:///mlflow.db,{address}")
    assert str(raised.value) == (
        f"registry {address}: expected an MLflow tracking address (sqlite, http, https, postgresql, mysql) or a "
        "Kubeflow Model Registry (kubeflow+https://HOST:PORT).\n"
        "Give a sqlite file, e.g. --registry sqlite:///mlflow.db, or a server, e.g. http://mlflow:5000"
    )


def test_an_address_is_printed_without_user_and_password() -> None:
    assert mirrors.printable("postgresql://me:secret@host:5432/mlflow") == "postgresql://host:5432/mlflow"
    assert mirrors.printable("sqlite:///mlflow.db,http://me:x@h") == "sqlite:///mlflow.db,http://h"

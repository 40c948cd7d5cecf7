"""Several registries at once: addresses, faults, and what a store's versions come to."""

from pathlib import Path

import pytest

from components.fer.errors import InputError, TemporaryError
from components.model_store import promotion
from components.model_store.folder import FolderStore
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

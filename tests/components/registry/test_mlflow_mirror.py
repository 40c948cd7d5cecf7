"""The mirror in MLflow: a real one, on sqlite; what lags, lacks or was lost is found and completed."""

import contextlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import pytest

from components.registry import mlflow_mirror as registry
from components.registry.entries import Entry, differences
from tests.components.registry.conftest import FIRST, NAME, SECOND

# MLflow's own tables still use what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")


@pytest.fixture
def address(mlflow_address: str) -> str:
    return mlflow_address


def shown(address: str) -> dict[str, Any]:
    """What people see: per store version its tags, source and metrics; which version has which alias."""
    client = mlflow.MlflowClient(address, address)
    seen: dict[str, Any] = {"aliases": {}, "versions": {}}
    numbers = {}
    for version in sorted(client.search_model_versions(f"name = '{NAME}'"), key=lambda version: int(version.version)):
        run = client.get_run(version.run_id)
        assert run.info.status == "FINISHED"
        assert run.data.tags["store_version"] == version.tags["store_version"]
        numbers[str(version.version)] = version.tags["store_version"]
        seen["versions"][version.tags["store_version"]] = (version.tags, version.source, run.data.metrics)
    for alias, number in client.get_registered_model(NAME).aliases.items():
        seen["aliases"][alias] = numbers[str(number)]
    return seen


def runs(address: str) -> int:
    client = mlflow.MlflowClient(address, address)
    return len(client.search_runs([client.get_experiment_by_name(NAME).experiment_id]))


def test_every_stored_version_is_shown(address: str, entries: list[Entry], tmp_path: Path) -> None:
    registry.mirror(address, NAME, entries, {"champion": FIRST, "previous": None})
    seen = shown(address)
    assert seen["aliases"] == {"champion": FIRST}
    assert list(seen["versions"]) == [FIRST, SECOND]
    tags, source, metrics = seen["versions"][FIRST]
    assert tags == {
        "store_version": FIRST,
        "data_md5": "f8428a1edbd21e88f42c73edd2a14f95",
        "verdict": "PROMOTE",
    }
    assert source == f"file://{tmp_path}/models/{NAME}/versions/{FIRST}"
    assert metrics == {"public.accuracy": 0.581, "private.full.accuracy": 0.5}


def test_what_it_lacks_is_named(address: str, entries: list[Entry]) -> None:
    aliases = {"champion": SECOND, "previous": FIRST}
    registry.mirror(address, NAME, entries[:1], {"champion": FIRST, "previous": None})
    client = mlflow.MlflowClient(address, address)
    client.set_model_version_tag(NAME, "1", "verdict", "REJECT")
    assert list(differences(entries, aliases, registry.shown(address, NAME))) == [
        f"version {FIRST}: tag verdict is REJECT, expected PROMOTE",
        f"version {SECOND} is not there",
        f"alias champion is {FIRST}, expected {SECOND}",
        f"alias previous is not there, expected {FIRST}",
    ]
    registry.mirror(address, NAME, entries, aliases)
    assert list(differences(entries, aliases, registry.shown(address, NAME))) == []


def test_a_file_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    assert registry.is_absent(f"sqlite:///{tmp_path}/mlflow.db")
    assert registry.shown(f"sqlite:///{tmp_path}/mlflow.db", NAME).versions == {}
    assert list(tmp_path.iterdir()) == []


def test_a_version_in_a_bucket_is_shown_where_it_is(address: str, entries: list[Entry]) -> None:
    place = "gs://bucket/models/fer-hybrid/files/1a2b3c4d-0123456789abcdef"
    registry.mirror(address, NAME, [replace(entries[0], address=place)], {"champion": FIRST, "previous": None})
    assert shown(address)["versions"][FIRST][1] == place
    client = mlflow.MlflowClient(address, address)
    assert client.get_experiment_by_name(NAME).artifact_location == "gs://bucket/models/fer-hybrid"


def test_aliases_follow_the_champion(address: str, entries: list[Entry]) -> None:
    registry.mirror(address, NAME, entries[:1], {"champion": FIRST, "previous": None})
    registry.mirror(address, NAME, entries, {"champion": SECOND, "previous": FIRST})
    assert shown(address)["aliases"] == {"champion": SECOND, "previous": FIRST}
    registry.mirror(address, NAME, entries, {"champion": SECOND, "previous": None})
    assert shown(address)["aliases"] == {"champion": SECOND}


def test_again_changes_nothing(address: str, entries: list[Entry]) -> None:
    aliases = {"champion": SECOND, "previous": FIRST}
    registry.mirror(address, NAME, entries, aliases)
    before = shown(address)
    registry.mirror(address, NAME, entries, aliases)
    assert shown(address) == before
    assert runs(address) == 2


def spoil_version(client: Any, experiment: str) -> None:
    client.delete_model_version(NAME, "2")


def spoil_model(client: Any, experiment: str) -> None:
    client.delete_registered_model(NAME)


def spoil_alias(client: Any, experiment: str) -> None:
    client.set_registered_model_alias(NAME, "champion", "1")
    client.delete_registered_model_alias(NAME, "previous")


def spoil_tag(client: Any, experiment: str) -> None:
    client.set_model_version_tag(NAME, "2", "verdict", "REJECT")


def spoil_experiment(client: Any, experiment: str) -> None:
    client.delete_registered_model(NAME)
    client.delete_experiment(experiment)


def spoil_run_tag(client: Any, experiment: str) -> None:
    client.set_tag(run_of(client, "2"), "verdict", "REJECT")


def spoil_run(client: Any, experiment: str) -> None:
    client.delete_run(run_of(client, "2"))


def spoil_runs(client: Any, experiment: str) -> None:
    client.delete_experiment(experiment)


def spoil_metric(client: Any, experiment: str) -> None:
    """By a later value, as somebody does who does not know when the store's was logged."""
    client.log_metric(run_of(client, "2"), "public.accuracy", 0.99, step=3)


def spoil_status(client: Any, experiment: str) -> None:
    client.update_run(run_of(client, "2"), status="RUNNING")


def spoil_source(client: Any, experiment: str) -> None:
    made_again(client, source="file:///nowhere")


def spoil_link(client: Any, experiment: str) -> None:
    """The version names the run of another."""
    made_again(client, run_id=run_of(client, "1"))


def run_of(client: Any, number: str) -> str:
    return str(client.get_model_version(NAME, number).run_id)


def made_again(client: Any, **changes: Any) -> None:
    found = client.get_model_version(NAME, "2")
    client.delete_model_version(NAME, "2")
    again = {"source": found.source, "run_id": found.run_id, "tags": found.tags}
    client.create_model_version(NAME, **(again | changes))


SPOILS = [
    *(spoil_version, spoil_model, spoil_alias, spoil_tag, spoil_experiment),
    *(spoil_run_tag, spoil_run, spoil_runs, spoil_metric, spoil_status, spoil_source, spoil_link),
]


@pytest.mark.parametrize("spoil", SPOILS)
def test_what_was_lost_comes_back(address: str, entries: list[Entry], spoil: Any) -> None:
    aliases = {"champion": SECOND, "previous": FIRST}
    registry.mirror(address, NAME, entries, aliases)
    before = shown(address)
    client = mlflow.MlflowClient(address, address)
    spoil(client, client.get_experiment_by_name(NAME).experiment_id)
    is_told = list(differences(entries, aliases, registry.shown(address, NAME))) != []
    assert is_told or spoil is spoil_status  # which says nothing of the version
    registry.mirror(address, NAME, entries, aliases)
    assert list(differences(entries, aliases, registry.shown(address, NAME))) == []
    assert shown(address) == before
    assert runs(address) == 2


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_source, "source is file:///nowhere, expected file:///"),
        (spoil_run, "its run is not there"),
        (spoil_link, "its run is not there"),
        (spoil_metric, "metric public.accuracy is 0.99, expected 0.583"),
        (spoil_run_tag, "tag of the run verdict is REJECT, expected HOLD"),
    ],
)
def test_what_was_changed_is_named(address: str, entries: list[Entry], spoil: Any, said: str) -> None:
    registry.mirror(address, NAME, entries, {})
    spoil(mlflow.MlflowClient(address, address), "")
    (told,) = differences(entries, {}, registry.shown(address, NAME))
    assert told.startswith(f"version {SECOND}: {said}")


def test_what_others_wrote_on_a_version_goes_over_to_the_one_that_takes_its_place(
    address: str, entries: list[Entry]
) -> None:
    aliases = {"champion": SECOND, "previous": FIRST}
    registry.mirror(address, NAME, entries, aliases)
    client = mlflow.MlflowClient(address, address)
    spoil_source(client, "")
    client.set_model_version_tag(NAME, "3", "team", "vision")
    client.update_model_version(NAME, "3", "seen by all of us")
    client.set_registered_model_alias(NAME, "canary", "3")
    registry.mirror(address, NAME, entries, aliases)
    found = client.get_model_version_by_alias(NAME, "champion")
    assert (found.tags["team"], found.description) == ("vision", "seen by all of us")
    assert shown(address)["aliases"] == {**aliases, "canary": SECOND}


def test_a_run_that_cannot_be_asked_for_is_no_lost_run(
    address: str, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.mirror(address, NAME, entries, {})
    before = shown(address)["versions"]

    def away(*_: Any) -> None:
        raise mlflow.MlflowException("the server is away")

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "get_run", away)
        with pytest.raises(mlflow.MlflowException, match="the server is away"):
            registry.mirror(address, NAME, entries, {})
    assert shown(address)["versions"] == before


class DyingClient:
    """MLflow's client until its call number `step`, which does its work but never answers, nor does any later one."""

    def __init__(self, client: Any, step: int) -> None:
        self.client, self.step, self.calls = client, step, 0

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **keywords: Any) -> Any:
            self.calls += 1
            if self.calls <= self.step:
                answer = getattr(self.client, name)(*arguments, **keywords)
            if self.calls >= self.step:
                raise ConnectionError("the server went away")
            return answer

        return call


def spoil_all(client: Any, experiment: str) -> None:
    spoil_tag(client, experiment)
    spoil_metric(client, experiment)
    spoil_run_tag(client, experiment)
    spoil_source(client, experiment)
    client.delete_run(run_of(client, "1"))


@pytest.mark.parametrize(("spoil", "least"), [(None, 12), (spoil_all, 12)])
def test_a_mirror_cut_after_any_call_is_completed_by_the_next(
    empty_database: Path,
    tmp_path: Path,
    entries: list[Entry],
    monkeypatch: pytest.MonkeyPatch,
    spoil: Any,
    least: int,
) -> None:
    aliases = {"champion": SECOND, "previous": FIRST}
    start = shutil.copy(empty_database, tmp_path / "start.db")
    if spoil:
        registry.mirror(f"sqlite:///{start}", NAME, entries, aliases)
        client = mlflow.MlflowClient(f"sqlite:///{start}", f"sqlite:///{start}")
        spoil(client, client.get_experiment_by_name(NAME).experiment_id)
    make_client, step, said = registry._client, 0, "the server went away"
    while "the server went away" in said:
        step, said = step + 1, ""
        address = f"sqlite:///{shutil.copy(start, tmp_path / f'{step}.db')}"
        dying = DyingClient(make_client(address), step)
        with monkeypatch.context() as patch:
            patch.setattr(registry, "_client", lambda address, dying=dying: dying)
            try:
                registry.mirror(address, NAME, entries, aliases)
            except ConnectionError as error:
                said = str(error)
        registry.mirror(address, NAME, entries, aliases)
        seen = shown(address)
        assert sorted(seen["versions"]) == [FIRST, SECOND]
        assert seen["aliases"] == aliases
        assert list(differences(entries, aliases, registry.shown(address, NAME))) == []
        assert runs(address) == 2
    assert step > least


def test_a_first_mirror_says_so_and_makes_no_folder_of_runs(
    entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO")
    registry.mirror("sqlite:///mlflow.db", NAME, entries, {"champion": FIRST, "previous": None})
    assert [record.getMessage() for record in caplog.records] == ["setting up mlflow.db"]
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


# What `mlflow server` serves, without its process manager and job runners, which take a minute to start.
SERVER = """
import sys
from mlflow.server import app, handlers

address, artifacts, port = sys.argv[1:]
handlers.initialize_backend_stores(address, address, artifacts)
app.run(port=int(port))
"""


@pytest.mark.slow
def test_a_server_takes_it_too(address: str, entries: list[Entry], tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVER, address, str(tmp_path / "artifacts"), str(port)]
    log = tmp_path / "server.log"
    with log.open("w") as output, subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output) as server:
        try:
            wait_for(port, server, log)
            registry.mirror(f"http://127.0.0.1:{port}", NAME, entries, {"champion": SECOND, "previous": FIRST})
            registry.mirror(f"http://127.0.0.1:{port}", NAME, entries, {"champion": SECOND, "previous": FIRST})
        finally:
            server.terminate()
    seen = shown(address)
    assert seen["aliases"] == {"champion": SECOND, "previous": FIRST}
    assert [source for _, source, _ in seen["versions"].values()] == [
        f"ferflow-store://fer-hybrid/{FIRST}",
        f"ferflow-store://fer-hybrid/{SECOND}",
    ]


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers, at most two minutes."""
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
            return
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def test_a_file_that_is_no_database_is_no_traceback(
    entries: list[Entry], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to have a header that can be read" * 20)
    with pytest.raises(Exception, match="file is not a database"):
        registry.mirror(f"sqlite:///{tmp_path}/mlflow.db", NAME, entries, {"champion": FIRST, "previous": None})
    assert "Traceback" not in capfd.readouterr().err

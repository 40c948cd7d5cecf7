"""The stage where something fails: the registry, a file, the process itself, or another that was quicker."""

import json
import shutil
from pathlib import Path

import mlflow
import pytest

from components.fer.errors import InputError, TemporaryError
from components.model_store import promotion
from components.model_store.folder import FolderStore
from components.model_store.store import open_store
from components.push_model.run import run
from tests.components.push_model.conftest import NAME, Workspace

pytestmark = [
    # MLflow's own tables still use what SQLAlchemy 2.1 deprecates.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning"),
    # Keras 3.15 hands TensorFlow's variables to NumPy 2 in the way of NumPy 1.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
]


@pytest.mark.slow
def test_an_unreachable_registry_leaves_the_champion_and_the_next_push_shows_it(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    here.put_candidate(7)
    with pytest.raises(TemporaryError) as raised:
        run(here.config(registry="http://127.0.0.1:9"))
    assert raised.value.exit_code == 75
    assert not (here.folder / "version.json").exists()
    champion = json.loads((here.folder / "models" / NAME / "champion.json").read_text())
    run(here.config())
    told = json.loads((here.folder / "version.json").read_text())
    assert (told["champion"], told["verdict"]) == (champion["version"], "PROMOTE")
    client = mlflow.MlflowClient(here.config().registry, here.config().registry)
    assert client.get_model_version_by_alias(NAME, "champion").tags["store_version"] == champion["version"]


@pytest.mark.slow
def test_a_corrupt_model_is_refused_and_nothing_is_stored(here: Workspace) -> None:
    here.put_candidate(7)
    path = here.folder / "model.keras"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=f"^model {path}: expected a Keras model"):
        run(here.config())
    assert not (here.folder / "models").exists()
    assert not (here.folder / "version.json").exists()


@pytest.mark.slow
def test_a_push_that_died_before_the_promotion_is_completed(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    here.put_candidate(7)
    monkeypatch.setattr(FolderStore, "move_champion", die)
    with pytest.raises(KeyboardInterrupt):
        run(here.config())
    run(here.config())
    told = json.loads((here.folder / "version.json").read_text())
    assert (told["verdict"], told["champion"]) == ("PROMOTE", told["version"])
    assert told["version"].startswith("0001-")


@pytest.mark.slow
def test_a_push_that_was_too_slow_is_compared_with_the_new_champion(
    here: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_early(*_: object) -> None:
        monkeypatch.undo()  # at the first look there is no champion yet

    here.put_candidate(7)
    run(here.config())
    here.put_candidate(5)
    monkeypatch.setattr(FolderStore, "champion", too_early)
    with pytest.raises(TemporaryError, match="expected none, found 0001-"):
        run(here.config())
    run(here.config())
    told = json.loads((here.folder / "version.json").read_text())
    assert (told["verdict"], told["version"][:4], told["champion"][:4]) == ("REJECT", "0002", "0001")
    assert told["reasons"][0].endswith(f"champion {told['champion']} 100.0 %")


@pytest.mark.slow
def test_a_champion_with_a_changed_byte_is_refused_by_name(here: Workspace) -> None:
    here.put_candidate(5)
    run(here.config())
    version = Path(json.loads((here.folder / "version.json").read_text())["store"])
    weights = version / "saved_model" / "saved_model.pb"
    weights.chmod(0o644)
    weights.write_bytes(bytes([weights.read_bytes()[0] ^ 1]) + weights.read_bytes()[1:])
    here.put_candidate(7)
    with pytest.raises(InputError) as raised:
        run(here.config())
    assert str(raised.value).startswith(
        f"version {version}: saved_model/saved_model.pb is not what was stored (its sha256 differs).\n"
    )


@pytest.mark.slow
def test_an_old_version_with_a_changed_byte_stops_no_push(here: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    for expressions in (5, 6):
        here.put_candidate(expressions)
        run(here.config())
    first, second = open_store(here.config().store).versions(NAME)
    path = Path(first.address, "metrics.json")
    path.chmod(0o644)
    path.write_text(path.read_text().replace("1", "2"))
    record = Path(first.address, "lineage.json")
    record.chmod(0o644)
    record.write_text("{")
    run(here.config())  # the second again, which was compared with the first
    assert json.loads((here.folder / "verdict.json").read_text())["champion"] == {"version": first.id}
    here.put_candidate(7)
    run(here.config())
    told = json.loads((here.folder / "version.json").read_text())
    assert (told["champion"], told["previous"]) == (told["version"], second.id)
    assert f"{NAME} {first.id} is damaged" in caplog.text
    client = mlflow.MlflowClient(here.config().registry, here.config().registry)
    assert client.get_model_version_by_alias(NAME, "champion").tags["store_version"] == told["version"]


@pytest.mark.slow
def test_a_push_that_is_repeated_does_not_undo_a_rollback(here: Workspace) -> None:
    told = []
    for expressions in (5, 7):
        here.put_candidate(expressions)
        run(here.config())
        told.append(json.loads((here.folder / "version.json").read_text())["version"])
    first, second = told
    store = open_store(here.config().store)
    promotion.back(store, NAME, store.champion(NAME), "ada", "")
    run(here.config())
    again = json.loads((here.folder / "version.json").read_text())
    assert (again["version"], again["verdict"], again["champion"]) == (second, "HOLD", first)
    assert again["reasons"][0] == (
        f"was champion before, and only a person makes it champion again: ferflow models promote {second}"
    )
    assert (here.folder / "blessing" / "NOT_BLESSED").is_file()


@pytest.mark.slow
def test_a_lost_registry_is_made_again(here: Workspace) -> None:
    here.put_candidate(7)
    shutil.copy(here.folder / "mlflow.db", here.folder / "empty.db")
    lost, made = here.config(), here.config(registry=f"sqlite:///{here.folder}/empty.db")
    run(lost)
    run(made)
    clients = [mlflow.MlflowClient(config.registry, config.registry) for config in (lost, made)]
    found = [client.get_model_version_by_alias(NAME, "champion") for client in clients]
    assert found[0].tags == found[1].tags
    assert found[0].source == found[1].source

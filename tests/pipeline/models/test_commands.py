"""`ferflow models`, but for verify: what it prints, refuses and leaves."""

import re
from pathlib import Path

import pytest

from components.fer.errors import InputError, TemporaryError
from components.model_store.versions import Version
from components.registry import mirrors
from pipeline import cli
from pipeline.desk import ROOT
from pipeline.models import commands
from pipeline.models.place import Place
from tests.components.model_store.made import NAME
from tests.pipeline.models.conftest import Desk

# MLflow's own tables still use what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning")

Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")


def test_list_has_a_line_for_each_version(desk: Desk, capsys: Printed) -> None:
    first, second, held = desk.made(60), desk.made(70), desk.made(71, "HOLD")
    commands.show_all(desk.place)
    assert capsys.readouterr().out.splitlines() == [
        "version        stored            verdict  PublicTest %",
        f"{first.id}  2026-01-02 03:04  PROMOTE  60.00         previous",
        f"{second.id}  2026-01-02 03:04  PROMOTE  70.00         champion",
        f"{held.id}  2026-01-02 03:04  HOLD     71.00",
    ]


def test_list_says_what_is_broken_and_goes_on(desk: Desk, capsys: Printed) -> None:
    first, second = desk.made(60), desk.made(70)
    spoil(first)
    commands.show_all(desk.place)
    lines = capsys.readouterr().out.splitlines()
    assert re.sub(" +", " ", lines[1]) == f"{first.id} previous broken: ferflow models verify {first.id}"
    assert lines[2].startswith(second.id)


def spoil(version: Version) -> None:
    spoiled = Path(version.address, "metrics.json")
    spoiled.chmod(0o644)
    spoiled.write_text("{}")


def test_an_old_damaged_version_stops_no_move_and_no_sync(
    desk: Desk, capsys: Printed, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = desk.made(60), desk.made(70), desk.made(80)
    held = desk.made(81, "HOLD")
    mirrors.mirror(desk.place.registry, NAME, desk.store)
    spoil(first)
    where = mirrors.printable(desk.place.registry)
    commands.rollback(desk.place, "")
    assert mirrors.shown(desk.place.registry, NAME).aliases == {"champion": second.id, "previous": third.id}
    commands.promote(desk.place, held.id, "")
    assert mirrors.shown(desk.place.registry, NAME).aliases == {"champion": held.id, "previous": second.id}
    capsys.readouterr()
    caplog.clear()
    commands.sync(desk.place)
    assert capsys.readouterr().out == f"registry {where}: nothing to do\n"
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{NAME} {first.id} is damaged, so registries keep what they say about it: ")
    commands.show(desk.place, first.id)
    assert f"{first.address}" in capsys.readouterr().out


def test_list_of_nothing_says_how_to_get_something(desk: Desk, capsys: Printed) -> None:
    commands.show_all(desk.place)
    assert capsys.readouterr().out == f"{NAME}: no version is stored. A job stores one: ferflow run\n"


def test_show_tells_all_of_a_version(desk: Desk, capsys: Printed) -> None:
    desk.made(60)
    held = desk.made(61, "HOLD")
    commands.promote(desk.place, held.id, "better on our own images")
    capsys.readouterr()
    commands.show(desk.place, held.id)
    printed = capsys.readouterr().out
    assert printed.startswith(f"{NAME} {held.id} champion\n")
    for text in (
        "training.seed: 1",
        "HOLD, against majority class",
        "so it is: HOLD",
        "by ada, after 0001-",
        ": better on our own images",
        "model.keras (500 bytes)",
        "md5 ",
        "Python 3.11.7, keras 3.15.0",
    ):
        assert text in printed


def test_show_of_an_unknown_version(desk: Desk) -> None:
    first = desk.made(60)
    with pytest.raises(InputError, match=f"expected one that is stored: {first.id}"):
        commands.show(desk.place, "0002-00000000")


def test_promote_and_rollback_move_the_champion_and_the_registry(desk: Desk, capsys: Printed) -> None:
    first, held = desk.made(60), desk.made(61, "HOLD")
    commands.promote(desk.place, held.id, "")
    where = mirrors.printable(desk.place.registry)
    assert capsys.readouterr().out == (
        f"champion of {NAME}: {held.id}, previous: {first.id}\nregistry {where}: up to date\n"
    )
    commands.rollback(desk.place, "")
    assert capsys.readouterr().out == (
        f"champion of {NAME}: {first.id}, previous: {held.id}\nregistry {where}: up to date\n"
    )
    commands.sync(desk.place)
    assert capsys.readouterr().out == f"registry {where}: nothing to do\n"


def test_a_registry_that_cannot_be_reached_leaves_the_move_and_sync_shows_it(desk: Desk, capsys: Printed) -> None:
    first, second = desk.made(60), desk.made(70)
    away = Place(desk.store, NAME, "kubeflow+http://127.0.0.1:9", desk.folder)
    with pytest.raises(TemporaryError) as raised:
        commands.rollback(away, "")
    assert str(raised.value).endswith(
        "To bring the registry up to date too: ferflow models sync, or the same push again"
    )
    capsys.readouterr()
    commands.sync(desk.place)
    where = mirrors.printable(desk.place.registry)
    assert capsys.readouterr().out.splitlines() == [
        f"registry {where}: 4 to put right",
        f"    version {first.id} is not there",
        f"    version {second.id} is not there",
        f"    alias champion is not there, expected {first.id}",
        f"    alias previous is not there, expected {second.id}",
    ]
    with pytest.raises(TemporaryError):
        commands.sync(away)


def test_a_version_with_a_flipped_byte_is_not_promoted(desk: Desk) -> None:
    desk.made(60)
    held = desk.made(61, "HOLD")
    path = Path(held.address, "saved_model", "saved_model.pb")
    path.chmod(0o644)
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    with pytest.raises(InputError) as raised:
        commands.promote(desk.place, held.id, "")
    assert str(raised.value).startswith(
        f"version {held.address}: saved_model/saved_model.pb is not what was stored (its sha256 differs).\n"
    )
    champion = desk.store.champion(NAME)
    assert champion is not None
    assert champion.previous is None


def test_the_place_is_that_of_params_yaml() -> None:
    place = Place.of("demo", None, None, None)
    assert (place.name, place.folder) == ("fer-demo", ROOT / "recipes" / "demo")
    assert place.registry == f"sqlite:///{ROOT}/recipes/demo/mlflow.db"
    assert str(getattr(place.store, "root", "")) == str(ROOT / "recipes" / "demo" / "models")


def test_what_is_given_takes_its_place(tmp_path: Path) -> None:
    place = Place.of(None, str(tmp_path), "mine", "sqlite:///here.db,kubeflow+http://registry:8080")
    assert (str(getattr(place.store, "root", "")), place.name) == (str(tmp_path), "mine")
    assert place.registry == "sqlite:///here.db,kubeflow+http://registry:8080"


def test_a_job_that_pushes_nothing_has_no_models() -> None:
    with pytest.raises(InputError) as raised:
        Place.of("s5_benchmark", None, None, None)
    assert str(raised.value) == (
        "recipe s5_benchmark: expected a job that pushes a model, found no section registry in its params.yaml.\n"
        "Name another --recipe, or --store, --name and --registry."
    )


def test_the_command_line(desk: Desk, capsys: Printed) -> None:
    desk.made(60)
    where = ["--store", str(desk.store.root), "--name", NAME, "--registry", desk.place.registry]
    cli.main(["models", "list", *where])
    assert "champion" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(["models", "rollback", *where])
    assert ended.value.code == 1
    assert "expected one that followed another, found none" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        cli.main(["models", "promote", *where])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "ferflow models promote: expected a VERSION.\nferflow models list\n"

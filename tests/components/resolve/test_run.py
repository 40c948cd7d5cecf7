"""The stage: is there anything to do?"""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from components.fer import stage
from components.fer.errors import InputError, TemporaryError
from components.model_store import lineage
from components.model_store.lineage import Code, Lineage
from components.model_store.provenance import Provenance
from components.model_store.records import Decision, Verdict, promoted
from components.model_store.store import open_store
from components.resolve.config import Config
from components.resolve.run import run
from tests.components.conftest import Bucket

MD5, NEXT_MD5 = "f8428a1edbd21e88f42c73edd2a14f95", "0c5b4e2d0c5b4e2d0c5b4e2d0c5b4e2d"
NAME = "fer-hybrid"
MADE = {
    "commit": "3f6c48d",
    "dirty": False,
    "images": {"train-hybrid": "registry/ferflow-train-hybrid@sha256:aa"},
    "parameters": {"training__seed": 1, "registry__alpha": 0.05},
    "run": "fer-hybrid-1",
}
OTHER = MADE | {"parameters": {"training__seed": 2, "registry__alpha": 0.05}}

Put = Callable[..., str]


@pytest.fixture
def values(tmp_path: Path) -> dict[str, Any]:
    """The stage's configuration, with a store in a folder and FER2013 as data."""
    (tmp_path / "data.dvc").write_text(f"outs:\n- md5: {MD5}\n  size: 1\n  hash: md5\n  path: fer2013.csv\n")
    return {
        "data_dvc": str(tmp_path / "data.dvc"),
        "always": False,
        "store": str(tmp_path / "models"),
        "name": NAME,
        "provenance": json.dumps(MADE),
        "md5": tmp_path / "out" / "md5",
        "changed": tmp_path / "out" / "changed",
        "report_json": tmp_path / "out" / "report.json",
    }


def put(store: str, made: dict[str, Any] | None, decision: Decision, md5: str = MD5, promote: bool = True) -> str:
    """Store a version as push-model would, and promote it where it was better."""
    opened = open_store(store)
    candidate = f"{len(opened.versions(NAME)) + 1:08x}" * 8
    verdict = Verdict(decision, (), "majority class", 0.05, None)
    record = Lineage(
        name=NAME,
        when=datetime.now(UTC),
        data_md5=md5,
        code=Code(commit=None, dirty=None, sources_sha256="0"),
        model_sha256="1",
        parameter_count=49,
        verdict=verdict,
        python="3.11.7",
        packages={},
        provenance=Provenance(**made) if made else None,
    )

    def write(folder: Path) -> None:
        (folder / lineage.NAME).write_text(record.model_dump_json())

    version = opened.add(NAME, candidate, write).id
    if decision == "PROMOTE" and promote:
        champion = opened.champion(NAME)
        opened.move_champion(NAME, champion, promoted(champion, version, verdict, datetime.now(UTC)))
    return version


def told(values: dict[str, Any], **changes: Any) -> tuple[str, str, dict[str, Any]]:
    """Run the stage; gives what it wrote."""
    config = Config(**(values | changes))
    run(config)
    return config.md5.read_text(), config.changed.read_text(), json.loads(config.report_json.read_text())


def test_a_fresh_store_needs_a_model(values: dict[str, Any]) -> None:
    assert told(values) == (
        MD5,
        "true",
        {
            "name": NAME,
            "md5": MD5,
            "changed": True,
            "reason": "no version of fer-hybrid is stored",
            "same_as": None,
            "champion": None,
            "differs_from_champion": [],
        },
    )


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_where_nothing_changed_there_is_nothing_to_do(
    values: dict[str, Any], where: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    if where == "bucket":
        gs: Bucket = request.getfixturevalue("gs")
        values["store"] = f"{gs.address}/models"
    put(values["store"], MADE, "PROMOTE")
    caplog.set_level(logging.INFO, "ferflow")
    md5, changed, report = told(values)
    assert (md5, changed) == (MD5, "false")
    assert (report["changed"], report["same_as"], report["champion"]) == (False, "0001-00000001", "0001-00000001")
    said = [record.getMessage() for record in caplog.records if record.name == "ferflow"]  # others talk too
    assert said == [
        f"data md5 {MD5}",
        "nothing to do: 0001-00000001, the champion, was made of this data, code and parameters",
    ]


def test_what_changed_since_the_champion_is_named(values: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    put(values["store"], MADE, "PROMOTE", md5=NEXT_MD5)
    caplog.set_level(logging.INFO, "ferflow")
    _, changed, report = told(values, provenance=json.dumps(OTHER))
    assert changed == "true"
    assert report["reason"] == "no version of fer-hybrid was made of this data, code and parameters"
    assert report["differs_from_champion"] == [
        f"data: md5 {MD5}, was {NEXT_MD5}",
        "parameter training.seed: 2, was 1",
    ]
    assert "  parameter training.seed: 2, was 1" in caplog.messages


def test_what_was_judged_and_not_promoted_need_not_be_made_again(values: dict[str, Any]) -> None:
    put(values["store"], MADE, "PROMOTE")
    put(values["store"], OTHER, "HOLD")
    _, changed, report = told(values, provenance=json.dumps(OTHER))
    assert changed == "false"
    assert report["reason"] == (
        "0002-00000002, judged and not the champion, was made of this data, code and parameters"
    )
    assert report["differs_from_champion"] == ["parameter training.seed: 2, was 1"]


def test_a_push_that_died_before_its_promotion_is_made_again(values: dict[str, Any]) -> None:
    put(values["store"], OTHER, "PROMOTE")
    put(values["store"], MADE, "PROMOTE", promote=False)
    _, changed, report = told(values)
    assert (changed, report["same_as"]) == ("true", None)


def test_a_champion_of_the_past_need_not_be_made_again(values: dict[str, Any]) -> None:
    put(values["store"], MADE, "PROMOTE")
    put(values["store"], OTHER, "PROMOTE")
    assert told(values)[1] == "false"


def test_a_version_from_a_desk_does_not_stand_for_a_run(values: dict[str, Any]) -> None:
    put(values["store"], None, "PROMOTE")
    _, changed, report = told(values)
    assert changed == "true"
    assert report["differs_from_champion"] == [
        "code and parameters: not known, for one of the two runs was not submitted"
    ]


def test_a_training_can_be_asked_for(values: dict[str, Any]) -> None:
    put(values["store"], MADE, "PROMOTE")
    _, changed, report = told(values, always=True)
    assert (changed, report["reason"]) == ("true", "a training was asked for (--always)")
    assert report["same_as"] == "0001-00000001"


def test_data_dvc_may_lie_in_a_bucket(values: dict[str, Any], gs: Bucket, tmp_path: Path) -> None:
    from google.cloud import storage

    blob = storage.Client(project="test").bucket(gs.address[5:]).blob("team/data.dvc")
    blob.upload_from_string(f"outs:\n- md5: {NEXT_MD5}\n  path: fer2013.csv\n")
    assert told(values, data_dvc=f"{gs.address}/team/data.dvc")[0] == NEXT_MD5


def test_data_dvc_may_lie_on_a_web_server(values: dict[str, Any], gs: Bucket) -> None:
    """The server of the buckets is one too, for what is public there."""
    from google.cloud import storage

    blob = storage.Client(project="test").bucket(gs.address[5:]).blob("data.dvc")
    blob.upload_from_string(f"outs:\n- md5: {NEXT_MD5}\n  path: fer2013.csv\n")
    address = f"{gs.proxy.address}/download/storage/v1/b/{gs.address[5:]}/o/data.dvc?alt=media"
    assert told(values, data_dvc=address)[0] == NEXT_MD5
    with pytest.raises(InputError) as raised:
        run(Config(**(values | {"data_dvc": address.replace("data.dvc", "nowhere.dvc")})))
    assert str(raised.value).endswith(": no such file.\nGive the address of a .dvc file: --data-dvc")
    gs.proxy.fail(403)
    with pytest.raises(InputError):
        run(Config(**(values | {"data_dvc": address})))


@pytest.mark.parametrize(
    "content", ["", "outs: []", "outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e.dir\n", "{", "[1]"]
)
def test_a_file_that_names_no_data_is_refused(values: dict[str, Any], content: str) -> None:
    Path(values["data_dvc"]).write_text(content)
    with pytest.raises(InputError) as raised:
        run(Config(**values))
    assert str(raised.value) == (
        f"data.dvc {values['data_dvc']}: expected one file with its md5, as `dvc add` writes it, found none.\n"
        "Give the address of a .dvc file: --data-dvc"
    )
    assert not values["md5"].parent.exists()


def test_an_absent_file_is_named(values: dict[str, Any]) -> None:
    with pytest.raises(InputError) as raised:
        run(Config(**(values | {"data_dvc": "nowhere.dvc"})))
    assert str(raised.value) == "data.dvc nowhere.dvc: no such file.\nGive the address of a .dvc file: --data-dvc"


def test_a_bucket_that_cannot_be_reached_is_a_fault_that_may_pass(
    values: dict[str, Any], gs: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.storage.gcs.PATIENCE", 0.25)
    gs.proxy.fail(503)
    with pytest.raises(TemporaryError) as raised:
        run(Config(**(values | {"store": f"{gs.address}/models"})))
    assert raised.value.exit_code == 75


def test_a_run_that_does_not_say_what_it_is_made_of_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InputError) as raised:
        run(Config(**(values | {"provenance": ""})))
    assert str(raised.value) == (
        "provenance: expected what this run is made of, received nothing.\nferflow schedule apply gives it."
    )


def test_it_runs_from_its_argv(values: dict[str, Any]) -> None:
    words = (
        (f"--{key.replace('_', '-')}", str(value).lower() if isinstance(value, bool) else str(value))
        for key, value in values.items()
    )
    run(stage.parse(Config, [word for pair in words for word in pair]))
    assert values["changed"].read_text() == "true"

"""A schedule on the cluster becomes what params.yaml says, with one alive at any time and wherever an `apply` dies."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.fer.errors import InputError
from components.model_store import provenance
from pipeline import cli, jobs
from pipeline.cluster import connection, schedule_section
from pipeline.cluster.settings import Settings
from pipeline.jobs import Job
from tests.pipeline.cluster.kfp_server import Fault, Server

ROOT = Path(__file__).resolve().parents[3]

SECTION = {"cron": "0 0 3 * * 1", "data": "https://git.example.com/team/fer/raw/main/data.dvc"}

Write = Callable[..., None]


@pytest.fixture
def scheduled(ready: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """The main job with a section schedule; calling it changes the section, or a value: `training={"seed": 2}`."""
    folder = tmp_path / "job"
    folder.mkdir()
    monkeypatch.setattr(jobs, "job", lambda recipe: ("main", Job("hybrid", folder, folder / "pipeline.yaml")))
    document = yaml.safe_load((ROOT / "params.yaml").read_text())

    def write(schedule: dict[str, Any] | None = None, **sections: dict[str, Any]) -> None:
        changed = {name: {**document[name], **values} for name, values in sections.items()}
        changed["schedule"] = {**SECTION, **(schedule or {})}
        (folder / "params.yaml").write_text(yaml.safe_dump({**document, **changed}))

    write()
    return write


def ferflow(*arguments: str) -> int:
    """The exit code of `ferflow schedule`."""
    try:
        cli.main(["schedule", *arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def alive(kfp: Server) -> list[str]:
    """The cron of each schedule that starts runs."""
    found = [entry for entry in kfp.schedules.values() if entry["status"] == "ENABLED"]
    return [entry["trigger"]["cron_schedule"]["cron"] for entry in found]


def test_a_report_with_faces_is_said_to_go_to_the_bucket(
    kfp: Server, scheduled: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ferflow("apply") == 0
    assert "images of the data set" not in capsys.readouterr().out
    scheduled(evaluate={"pictures": "all"})
    assert ferflow("apply") == 0, "a warning, no refusal"
    assert "the report shows images of the data set, and goes to gs://team/artifacts" in capsys.readouterr().out


def test_what_is_made(kfp: Server, scheduled: Write, pushed: dict[str, str]) -> None:
    assert ferflow("apply") == 0
    (made,) = kfp.schedules.values()
    (version,) = kfp.versions.values()
    assert made["display_name"] == "ferflow-main"
    assert made["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * 1"}}
    assert (made["no_catchup"], made["max_concurrency"], made["status"]) == (True, "1", "ENABLED")
    assert made["pipeline_version_reference"] == {
        "pipeline_id": version["pipeline_id"],
        "pipeline_version_id": version["pipeline_version_id"],
    }
    assert made["service_account"] == "trainer"
    assert made["runtime_config"]["pipeline_root"] == "gs://team/artifacts"
    given = made["runtime_config"]["parameters"]
    assert given["schedule__data_dvc"] == SECTION["data"]
    assert given["schedule__always"] is False
    assert given["registry__store"] == "gs://team/models"
    assert "data__md5" not in given
    parsed = provenance.parse(given["registry__provenance"])
    assert parsed is not None
    assert parsed.run is None
    assert parsed.images == pushed
    assert parsed.parameters == {name: value for name, value in given.items() if name != "registry__provenance"}


def test_the_same_again_changes_nothing(
    kfp: Server, scheduled: Write, committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also after a commit that changes neither graph nor values."""
    assert ferflow("apply") == 0
    before = len(kfp.changes)
    (committed / "README.md").write_text("new")
    capsys.readouterr()
    assert ferflow("apply") == 0
    assert len(kfp.changes) == before
    assert capsys.readouterr().out == "schedule ferflow-main: nothing to do. It is active.\n"


def test_the_difference_is_said(kfp: Server, scheduled: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert ferflow("apply") == 0
    (old,) = kfp.schedules
    (old_version,) = [entry["display_name"] for entry in kfp.versions.values()]
    scheduled({"cron": "0 30 4 * * *", "always": True}, training={"seed": 2})
    capsys.readouterr()
    assert ferflow("apply") == 0
    (new,) = kfp.schedules
    new_version = next(name for entry in kfp.versions.values() if (name := entry["display_name"]) != old_version)
    assert capsys.readouterr().out == (
        "schedule ferflow-main: to change\n"
        "    cron: '0 0 3 * * 1' -> '0 30 4 * * *'\n"
        "    schedule.always: False -> True\n"
        "    training.seed: 1 -> 2\n"
        f"    version: {old_version!r} -> {new_version!r}\n"
        f"    made {new}, paused\n"
        f"    paused {old}\n"
        f"    resumed {new}\n"
        f"    deleted {old}\n"
        "schedule ferflow-main: applied. It is active.\n"
    )


class Killed(BaseException):
    """The process is gone: no handler of errors sees it."""


def test_a_kill_after_each_request(kfp: Server, scheduled: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """At no time are two alive, and the next apply ends the work: make, pause the old, resume, delete the old."""
    send = connection._Client.call_api
    left = 100

    def sent(client: Any, path: str, method: str, *arguments: Any, **options: Any) -> Any:
        nonlocal left
        answer = send(client, path, method, *arguments, **options)
        assert len(alive(kfp)) <= 1
        left -= method != "GET"
        if left == 0:
            raise Killed
        return answer

    monkeypatch.setattr(connection._Client, "call_api", sent)
    assert ferflow("apply") == 0
    for requests in range(1, 5):
        scheduled({"cron": f"0 {requests} 3 * * 1"})
        left = requests
        with pytest.raises(Killed):
            ferflow("apply")
        left = 100
        assert ferflow("apply") == 0
        assert alive(kfp) == [f"0 {requests} 3 * * 1"]
        assert len(kfp.schedules) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", "/apis/v2beta1/recurringruns", done=True),
        Fault("POST", "/apis/v2beta1/recurringruns", status=500),
        Fault("POST", ".*:disable", done=True),
        Fault("POST", ".*:enable", status=503, times=2),
        Fault("DELETE", ".*", done=True),
    ],
    ids=["made, answer lost", "not made", "paused, answer lost", "not resumed", "deleted, answer lost"],
)
def test_a_fault_that_passes_is_not_noticed(kfp: Server, scheduled: Write, fault: Fault) -> None:
    assert ferflow("apply") == 0
    scheduled({"cron": "0 30 4 * * *"})
    kfp.faults = [fault]
    assert ferflow("apply") == 0
    assert fault.times == 0
    assert alive(kfp) == ["0 30 4 * * *"]
    assert len(kfp.schedules) == 1


def test_leftovers_of_others_are_cleared(kfp: Server, scheduled: Write) -> None:
    """Somebody has cloned it by hand, twice: three are alive."""
    assert ferflow("apply") == 0
    (original,) = list(kfp.schedules.values())
    for id_ in ("clone-1", "clone-2"):
        kfp.schedules[id_] = {**json.loads(json.dumps(original)), "recurring_run_id": id_}
    assert ferflow("apply") == 0
    assert len(kfp.schedules) == len(alive(kfp)) == 1


def test_pause_lasts(kfp: Server, scheduled: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert ferflow("apply") == ferflow("pause") == 0
    assert alive(kfp) == []
    assert ferflow("pause") == 0
    assert capsys.readouterr().out.endswith("schedule ferflow-main: nothing to do\n")
    scheduled({"cron": "0 30 4 * * *"})
    assert ferflow("apply") == 0
    assert alive(kfp) == []
    assert capsys.readouterr().out.endswith("applied. It is paused; to resume it: ferflow schedule resume\n")
    assert ferflow("resume") == 0
    assert alive(kfp) == ["0 30 4 * * *"]
    assert ferflow("delete") == 0
    assert kfp.schedules == {}


@pytest.mark.parametrize("verb", ["pause", "resume", "delete"])
def test_there_is_none(kfp: Server, scheduled: Write, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ferflow(verb) == 1
    assert capsys.readouterr().err == (
        "schedule ferflow-main: expected one on the cluster, found none.\nferflow schedule apply\n"
    )


def test_one_cut_short_is_not_resumed(kfp: Server, scheduled: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert ferflow("apply") == 0
    (original,) = kfp.schedules.values()
    kfp.schedules["clone"] = {**original, "recurring_run_id": "clone"}
    assert ferflow("resume") == 1
    assert capsys.readouterr().err == (
        "schedule ferflow-main: expected one, found 2: an apply was cut short.\nferflow schedule apply\n"
    )


def test_list(kfp: Server, scheduled: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert ferflow("list") == 0
    assert capsys.readouterr().out == (
        "No schedules. One is made from a section schedule in params.yaml: ferflow schedule apply\n"
    )
    assert ferflow("apply") == 0
    ((id_, made),) = kfp.schedules.items()
    (version,) = kfp.versions.values()
    kfp.schedules["other"] = {**made, "recurring_run_id": "other", "display_name": "somebody else's"}
    shown = {"run_id": "run", "recurring_run_id": id_, "state": "SUCCEEDED", "created_at": "2026-03-02T03:00:00+00:00"}
    kfp.runs = {"run": shown, "older": {**shown, "state": "FAILED", "created_at": "2026-02-23T03:00:00+00:00"}}
    capsys.readouterr()
    assert ferflow("list") == 0
    assert [line.split("  ") for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["ferflow-main", "0 0 3 * * 1", "active", version["display_name"], "2026-03-02 03:00 SUCCEEDED"]
    ]


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"cron": "0 3 * * 1"}, "cron: expected six fields, seconds first: try '0 0 3 * * 1'. Received: '0 3 * * 1'"),
        ({"cron": "0 61 3 * * 1"}, "cron: minutes: expected 0 to 59, received '61'."),
        (
            {"data": "data.dvc"},
            "data: expected the address of a data.dvc, https://, gs:// or s3://. Received: 'data.dvc'",
        ),
        ({"always": "no"}, "always: expected a valid boolean. Received: 'no'"),
        ({"corn": 1}, "corn: expected no such key. Received: 1"),
    ],
)
def test_a_fault_of_the_section_is_named(
    kfp: Server, scheduled: Write, section: dict[str, Any], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scheduled(section)
    assert ferflow("apply") == 1
    path = jobs.job(None)[1].folder / "params.yaml"
    assert capsys.readouterr().err == f"parameters {path}: schedule: {problem}\n"
    assert kfp.requests == []


def test_no_section() -> None:
    job = Job("hybrid", ROOT / "recipes" / "demo", ROOT)
    assert schedule_section.section(job) is None
    with pytest.raises(InputError) as error:
        schedule_section.required(job)
    assert str(error.value) == (
        f"parameters {job.folder / 'params.yaml'}: expected a section schedule, found none.\n"
        'Add one, e.g. schedule: {cron: "0 0 3 * * 1", data: https://.../data.dvc, always: false}'
    )

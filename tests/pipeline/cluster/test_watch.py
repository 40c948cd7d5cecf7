"""A run is watched to its end: what is shown, and what the exit code says."""

import re
import time
from typing import Any, NoReturn

import pytest
from rich.text import Text

from pipeline import cli, jobs
from pipeline.cluster import watch
from pipeline.cluster.settings import Settings
from pipeline.ir import documents
from tests.pipeline.cluster.kfp_server import Fault, Server
from tests.pipeline.cluster.test_submit import submit

TASKS = ("validate", "preprocess", "train-backbone", "train-backbone-2", "train-hybrid", "evaluate", "push-model")
"""by key"""
NOTHING = dict.fromkeys(TASKS, "WAITING")
DONE = dict.fromkeys(TASKS, "SUCCEEDED")


@pytest.fixture(scope="module")
def graph() -> dict[str, Any]:
    """The main job's, as the server has it: both documents."""
    pipeline, platform = documents(jobs.jobs()["main"].pipeline.read_text())
    return {"pipeline_spec": pipeline, "platform_spec": platform}


@pytest.fixture
def run(kfp: Server, team: Settings, graph: dict[str, Any]) -> str:
    """Id of a run of the main job that has just been started."""
    pinned = {"pipeline_id": "pipeline", "pipeline_version_id": "version"}
    kfp.versions["version"] = {**pinned, "display_name": "version", "pipeline_spec": graph}
    kfp.runs["run"] = {
        "run_id": "run",
        "display_name": "main-1",
        "pipeline_version_reference": pinned,
        "state": "PENDING",
    }
    return "run"


def ferflow(*arguments: str) -> int:
    try:
        cli.main(list(arguments))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def without_clock(text: str) -> list[str]:
    return [line.partition("  ")[2] if line[2:3] == ":" else line for line in text.splitlines()]


def test_a_run_that_succeeds(kfp: Server, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Tasks that the cache had and tasks that were tried again are as good as others."""
    kfp.frames = [
        ("PENDING", NOTHING),
        ("RUNNING", {**NOTHING, "validate": "CACHED", "preprocess": "PENDING"}),
        ("RUNNING", {**NOTHING, "validate": "CACHED", "preprocess": "RUNNING"}),
        ("SUCCEEDED", {**DONE, "validate": "CACHED", "train-hybrid": "RETRIED"}),
    ]
    assert ferflow("watch", run) == 0
    assert without_clock(capsys.readouterr().out) == [
        f"{'validate':<24}CACHED",
        f"{'preprocess':<24}PENDING",
        f"{'preprocess':<24}RUNNING",
        f"{'preprocess':<24}SUCCEEDED",
        f"{'train-backbone-a':<24}SUCCEEDED",
        f"{'train-backbone-b':<24}SUCCEEDED",
        f"{'train-hybrid':<24}SUCCEEDED",
        f"{'evaluate':<24}SUCCEEDED",
        f"{'push-model':<24}SUCCEEDED",
        "run main-1: every task succeeded",
    ]


def test_on_a_terminal(
    kfp: Server, run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One table that changes in its place."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    kfp.frames = [("RUNNING", {**NOTHING, "validate": "RUNNING"}), ("SUCCEEDED", DONE)]
    assert ferflow("watch", run) == 0
    printed = Text.from_ansi(capsys.readouterr().out).plain
    assert "main-1: SUCCEEDED" in printed
    assert re.search(r"push-model +SUCCEEDED", printed)


LOG = "\n".join([*(f"line {number}" for number in range(40)), "F0101 failed to execute component: exit status 75"])


@pytest.mark.parametrize("server", ["api", "pages"])
def test_a_run_that_fails(kfp: Server, run: str, server: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The task, its exit code and the end of its log, which the API's server gives or that of the pages."""
    kfp.frames = [("FAILED", {**DONE, "train-hybrid": "FAILED", "evaluate": "WAITING", "push-model": "WAITING"})]
    kfp.logs, kfp.logs_at = {"train-hybrid": LOG}, server
    assert ferflow("watch", run) == 1
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    told = lines.index("task train-hybrid: failed with exit code 75")
    assert lines[told + 1].startswith("the end of the log of workflow-train-hybrid-impl-")
    assert lines[told + 2 :] == [f"    {line}" for line in LOG.splitlines()[-watch.TAIL :]]
    assert printed.err == (
        "run main-1: FAILED (train-hybrid FAILED, evaluate not started, push-model not started).\n"
        f"{kfp.host}/#/runs/details/{run}\n"
    )


def test_a_log_that_no_server_gives(kfp: Server, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    kfp.frames = [("FAILED", {**DONE, "train-hybrid": "FAILED"})]
    assert ferflow("watch", run) == 1
    told = capsys.readouterr().out
    assert (
        "task train-hybrid: failed; the server does not give its log. Try: kubectl logs -n team workflow-train-" in told
    )


def test_a_page_in_place_of_a_log(kfp: Server, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The server of the pages answers a path that it does not know with its start page."""
    kfp.frames = [("FAILED", {**DONE, "train-hybrid": "FAILED"})]
    kfp.logs = {"train-hybrid": "<!doctype html>"}
    assert ferflow("watch", run) == 1
    assert "the server does not give its log" in capsys.readouterr().out


@pytest.mark.parametrize("state", ["CANCELED", "FAILED"])
def test_a_run_that_is_terminated(kfp: Server, run: str, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Kubeflow calls it cancelled, or failed after CANCELING."""
    assert ferflow("terminate", run) == 0
    assert kfp.runs[run]["state"] == "CANCELING"
    kfp.frames = [("CANCELING", NOTHING), (state, {**NOTHING, "validate": "SUCCEEDED", "preprocess": "CANCELED"})]
    kfp.history = ["CANCELING"]
    assert ferflow("watch", run) == 1
    assert ": terminated (preprocess CANCELED, train-backbone-a not started, " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        ({**DONE, "evaluate": "FAILED"}, "evaluate FAILED"),
        ({**DONE, "push-model": "WAITING"}, "push-model not started"),
        (NOTHING, "validate not started, preprocess not started, train-backbone-a not started, "),
    ],
    ids=["one failed", "one never ran", "nothing told"],
)
def test_a_success_that_is_none(
    kfp: Server, run: str, tasks: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kfp.frames = [("SUCCEEDED", tasks)]
    assert ferflow("watch", run) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"run main-1: Kubeflow calls it SUCCEEDED, but not every task is: {told}")


def test_ctrl_c_leaves_the_run_alone(
    kfp: Server, run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: float) -> NoReturn:
        raise KeyboardInterrupt

    kfp.frames = [("RUNNING", NOTHING)]
    monkeypatch.setattr(time, "sleep", interrupt)
    before = len(kfp.changes)
    assert ferflow("watch", run) == 130
    assert capsys.readouterr().err == (
        f"run {run} goes on: {kfp.host}/#/runs/details/{run}\n"
        f"Watch it again: ferflow watch {run}\nEnd it: ferflow terminate {run}\n"
    )
    assert len(kfp.changes) == before


def test_a_server_that_is_away_for_a_while(kfp: Server, run: str) -> None:
    kfp.frames = [("RUNNING", NOTHING), ("SUCCEEDED", DONE)]
    kfp.faults = [Fault("GET", ".*/runs/.*", status=503, times=50)]
    assert ferflow("watch", run) == 0


def test_a_server_that_stays_away(
    kfp: Server, run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody shall think that the run has to be submitted again."""
    monkeypatch.setattr(watch, "SECONDS_WITHOUT_ANSWER", 0)
    kfp.faults = [Fault("GET", ".*/runs/.*", status=503, times=50)]
    assert ferflow("watch", run) == 75
    assert capsys.readouterr().err == (
        f"Kubeflow Pipelines at {kfp.host}: get run {run}: 503 as ordered\n"
        f"The run goes on. Watch it again: ferflow watch {run}\n"
    )


def test_submit_and_wait(kfp: Server, ready: Settings) -> None:
    kfp.frames = [("RUNNING", NOTHING), ("FAILED", {**DONE, "evaluate": "FAILED"})]
    assert submit("--wait") == 1
    kfp.frames = [("SUCCEEDED", DONE)]
    assert submit("--wait") == 0


def test_no_such_run(kfp: Server, team: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert ferflow("watch", "x") == 1
    assert capsys.readouterr().err == (
        f"Kubeflow Pipelines at {kfp.host}: get run x: not found: 404 ResourceNotFoundError: x not found.\n"
        "Look at the id, and at host in infra/cluster.yaml.\n"
    )

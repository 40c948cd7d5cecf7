"""The state of each task is read from the nodes of the workflow that Kubeflow made of the graph."""

import json
from types import SimpleNamespace
from typing import Any

import kfp_server_api
import pytest

from pipeline import jobs
from pipeline.cluster import run_state
from pipeline.ir import documents
from tests.pipeline.cluster.kfp_models import nodes

NAMES = {"a": "first", "b": "second"}


def run(**tasks: str) -> Any:
    """A V2beta1Run, as the client reads it, whose tasks are in these states."""
    answer = {"run_id": "run", "run_details": {"task_details": nodes("run", tasks)}}
    return kfp_server_api.ApiClient().deserialize(SimpleNamespace(data=json.dumps(answer)), "V2beta1Run")


@pytest.mark.parametrize(
    ("drawn", "state"),
    [
        ("WAITING", "WAITING"),
        ("PENDING", "PENDING"),
        ("RUNNING", "RUNNING"),
        ("SUCCEEDED", "SUCCEEDED"),
        ("CACHED", "CACHED"),
        ("RETRIED", "SUCCEEDED"),
        ("SKIPPED", "SKIPPED"),
        ("CANCELED", "CANCELED"),
    ],
)
def test_the_state_of_a_task(drawn: str, state: str) -> None:
    """Whatever the one before it did: Argo counts the nodes behind a pod as its children."""
    for before in ("SUCCEEDED", "CACHED", "RETRIED"):
        first, second = run_state.task_states(NAMES, run(a=before, b=drawn))
        assert (first.name, first.state) == ("first", "CACHED" if before == "CACHED" else "SUCCEEDED")
        assert (second.name, second.state, second.pod) == ("second", state, "")


def test_the_last_attempt_of_a_task_that_failed() -> None:
    """The eleventh, executor(10), which comes before executor(2) where names are sorted as text."""
    described = run(a="SUCCEEDED", b="FAILED")
    last = next(detail for detail in described.run_details.task_details if detail.display_name == "executor(10)")
    _, second = run_state.task_states(NAMES, described)
    assert (second.state, second.pod) == ("FAILED", last.pod_name)


def test_a_task_whose_driver_failed() -> None:
    """No node of the task itself is there then."""
    _, second = run_state.task_states(NAMES, run(a="SUCCEEDED", b="DRIVER FAILED"))
    assert second.state == "FAILED"
    assert second.pod.startswith("workflow-b-driver-")


def test_a_run_of_which_the_server_tells_nothing_yet() -> None:
    found = run_state.task_states(NAMES, kfp_server_api.V2beta1Run(run_id="run"))
    assert [task.state for task in found] == ["WAITING", "WAITING"]


def test_tasks_are_in_an_order_in_which_they_can_run() -> None:
    pipeline, _ = documents(jobs.jobs()["main"].pipeline.read_text())
    assert list(run_state.task_names(pipeline).values()) == [
        "validate",
        "preprocess",
        "train-backbone-a",
        "train-backbone-b",
        "train-hybrid",
        "evaluate",
        "push-model",
    ]

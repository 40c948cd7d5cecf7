"""The states of a run's tasks, read from what Kubeflow Pipelines tells of a run.

The server lists the nodes of the workflow that it made of the graph, flat. A task `T` of the graph is three of them:

    T-driver      looks into the cache, and prepares the pod
    T             holds what follows; its state is the task's
    executor      the pod itself, skipped where the cache had the result; with retries, executor(0), executor(1), ...

`executor` belongs to `T` where `T` names it as a child: by the number at the end of its node's id, which is also at the
end of the pod's name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.ir import Document

SUCCEEDED, SKIPPED, FAILED, CANCELED, CANCELING = "SUCCEEDED", "SKIPPED", "FAILED", "CANCELED", "CANCELING"
PENDING, UNKNOWN = "PENDING", "RUNTIME_STATE_UNSPECIFIED"
CACHED, WAITING = "CACHED", "WAITING"
"""Two states that Kubeflow has no words for: done by an earlier run; for the tasks before it."""

FINE = {SUCCEEDED, CACHED, SKIPPED}
"""how a task may end in a run that succeeded"""
ENDED = {SUCCEEDED, SKIPPED, FAILED, CANCELED}
"""the states of a run that is over"""


@dataclass(frozen=True)
class TaskState:
    """A task of a run."""

    name: str
    state: str
    pod: str = ""
    """of the attempt that failed last; empty where none failed, or the server does not say"""


def task_names(pipeline: Document) -> dict[str, str]:
    """Display name of each task by its key in the graph, in an order in which they can run."""
    tasks = pipeline["root"]["dag"]["tasks"]
    ordered: dict[str, str] = {}
    while len(ordered) < len(tasks):
        open_ = [key for key in tasks if key not in ordered]
        ready = [key for key in open_ if ordered.keys() >= set(tasks[key].get("dependentTasks", []))]
        ordered |= {key: tasks[key]["taskInfo"]["name"] for key in ready}
    return ordered


def task_states(names: Mapping[str, str], run: Any) -> list[TaskState]:
    """The state of each task of `names` in `run`, a V2beta1Run."""
    details = (run.run_details.task_details if run.run_details else None) or []
    return [_task_state(key, name, details) for key, name in names.items()]


def _task_state(key: str, name: str, details: Iterable[Any]) -> TaskState:
    nodes = {detail.display_name: detail for detail in details}
    driver, task = nodes.get(f"{key}-driver"), nodes.get(key)
    if driver is not None and driver.state == FAILED:
        return TaskState(name, FAILED, driver.pod_name or "")
    if task is None or task.state in (None, UNKNOWN):
        return TaskState(name, WAITING if driver is None else PENDING)
    executors = _executors(task, list(details))
    if task.state == SUCCEEDED and any(executor.state == SKIPPED for executor in executors):
        return TaskState(name, CACHED)
    failed = [executor for executor in executors if executor.state == FAILED] if task.state == FAILED else []
    pods = [executor.pod_name for executor in sorted(failed, key=_attempt) if executor.pod_name]
    return TaskState(name, task.state, pods[-1] if pods else "")


def _executors(task: Any, details: Iterable[Any]) -> list[Any]:
    """The nodes of the task's pods: its children of that name, and theirs where it is tried again."""
    children = {_number(child.pod_name) for child in task.child_tasks or [] if child.pod_name}
    found = [
        detail
        for detail in details
        if (detail.display_name or "").startswith("executor") and _number(detail.pod_name or "") in children
    ]
    return found + [executor for entry in found for executor in _executors(entry, details)]


def _number(node: str) -> str:
    return node.rpartition("-")[2]


def _attempt(executor: Any) -> tuple[int, str]:
    """Sorts executor, executor(0), executor(9), executor(10)."""
    return len(executor.display_name), executor.display_name

"""A run on the cluster, watched to its end: live states, and what went wrong where something did.

Kubeflow's own word on a run is not taken alone: a run has succeeded when it says so and every task of its graph has.
"""

import re
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from kfp_server_api import ApiException
from rich.console import Console
from rich.live import Live
from rich.table import Table
from urllib3.exceptions import HTTPError

from components.fer.errors import FerflowError, TemporaryError
from pipeline.cluster.connection import Cluster, connect
from pipeline.cluster.run_state import (
    CANCELED,
    CANCELING,
    ENDED,
    FAILED,
    FINE,
    SUCCEEDED,
    WAITING,
    TaskState,
    task_names,
    task_states,
)
from pipeline.cluster.settings import Settings
from pipeline.ir import Document

SECONDS_BETWEEN_LOOKS = 5.0
SECONDS_WITHOUT_ANSWER = 600.0
"""how long the server may be away before watching ends; the run goes on"""

TAIL = 30
"""lines of a failed task's log"""

LOGS = (
    ("/apis/v1alpha1/runs/{run}/nodes/{pod}/log", ()),  # the API's server
    ("/k8s/pod/logs", ("podname", "podnamespace", "runid")),  # the server of the pages, which hides that one
)
"""Where the log of a pod is: path, names in the query."""

WORDS = {WAITING: "not started"}
"""for states of a run that is over"""

COLOURS = {"RUNNING": "cyan", SUCCEEDED: "green", "CACHED": "green", FAILED: "red", CANCELED: "yellow"}


class Detached(FerflowError):
    """Somebody stopped watching; the run goes on."""

    exit_code = 130


def watch(run_id: str, settings: Settings) -> None:
    """Follow a run that was started some time ago. Raises as `follow` does."""
    cluster = connect(settings)
    run = _run(cluster, run_id)
    follow(cluster, run_id, task_names(_graph(cluster, run)))


def terminate(run_id: str, settings: Settings) -> None:
    """End a run on the cluster. Raises `InputError`, `TemporaryError`."""
    cluster = connect(settings)
    cluster.ask(f"terminate run {run_id}", lambda: cluster.runs.run_service_terminate_run(run_id) or {})
    sys.stdout.write(f"run {run_id} is being terminated: {address(cluster, run_id)}\n")


def address(cluster: Cluster, run_id: str) -> str:
    """The page of a run."""
    return f"{cluster.settings.host}/#/runs/details/{run_id}"


def follow(cluster: Cluster, run_id: str, names: Mapping[str, str]) -> None:
    """Show the run's tasks until it ends; `names` has their display names by their keys in the graph.

    Raises `FerflowError` unless the run and every task succeeded, `Detached` at Ctrl-C, and `TemporaryError` where the
    server has been away too long.
    """
    console = Console()
    shown: AbstractContextManager[Any] = Live(console=console) if console.is_terminal else nullcontext()
    known: list[TaskState] = []
    try:
        with shown as live:
            while True:
                run = _run(cluster, run_id)
                states = task_states(names, run)
                if live:
                    live.update(_table(run, states))
                else:
                    _say_changes(known, states)
                known = states
                if run.state in ENDED:
                    break
                time.sleep(SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt:
        raise Detached(
            f"run {run_id} goes on: {address(cluster, run_id)}",
            f"Watch it again: ferflow watch {run_id}\nEnd it: ferflow terminate {run_id}",
        ) from None
    _conclude(cluster, run, states)


def _run(cluster: Cluster, run_id: str) -> Any:
    """The run as it is now, waited for where the server is away for a while."""
    until = time.monotonic() + SECONDS_WITHOUT_ANSWER
    while True:
        try:
            return cluster.ask(f"get run {run_id}", lambda: cluster.runs.run_service_get_run(run_id))
        except TemporaryError as error:
            if time.monotonic() > until:
                problem = str(error).partition("\n")[0]
                raise TemporaryError(problem, f"The run goes on. Watch it again: ferflow watch {run_id}") from error
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _graph(cluster: Cluster, run: Any) -> Document:
    """The compiled graph of a run, which the server keeps alone or beside the placement."""
    found = run.pipeline_spec
    if found is None:
        version = run.pipeline_version_reference
        found = cluster.ask(
            f"get the graph of run {run.run_id}",
            lambda: cluster.pipelines.pipeline_service_get_pipeline_version(
                version.pipeline_id, version.pipeline_version_id
            ),
        ).pipeline_spec
    graph: Document = found.get("pipeline_spec", found)
    return graph


def _table(run: Any, states: list[TaskState]) -> Table:
    table = Table(title=f"{run.display_name}: {run.state}", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for task in states:
        table.add_row(task.name, f"[{COLOURS.get(task.state, 'default')}]{task.state}[/]")
    return table


def _say_changes(known: list[TaskState], states: list[TaskState]) -> None:
    before = {task.name: task.state for task in known}
    for task in states:
        if before.get(task.name, WAITING) != task.state:
            _say(f"{time.strftime('%H:%M:%S')}  {task.name:<24}{task.state}")


def _conclude(cluster: Cluster, run: Any, states: list[TaskState]) -> None:
    """Say how the run ended; raise unless it and every task succeeded."""
    bad = [task for task in states if task.state not in FINE]
    if run.state == SUCCEEDED and not bad:
        _say(f"run {run.display_name}: every task succeeded")
        return
    failed = [task for task in states if task.state == FAILED]
    for task in failed:
        _say_failure(cluster, run.run_id, task)
    ended = ", ".join(f"{task.name} {WORDS.get(task.state, task.state)}" for task in bad) or "every task fine"
    if run.state == CANCELED or CANCELING in {entry.state for entry in run.state_history or []}:
        problem = f"run {run.display_name}: terminated ({ended})."
    elif run.state == SUCCEEDED:
        problem = f"run {run.display_name}: Kubeflow calls it SUCCEEDED, but not every task is: {ended}."
    else:
        problem = f"run {run.display_name}: {run.state} ({ended})."
    raise FerflowError(problem, address(cluster, run.run_id))


def _say_failure(cluster: Cluster, run_id: str, task: TaskState) -> None:
    """The task, its exit code and the end of its log, or how to see it where the server does not give it."""
    namespace = cluster.settings.namespace
    log = _log(cluster, run_id, task.pod) if task.pod else None
    if log is None:
        pod = f"kubectl logs -n {namespace} {task.pod} -c main"
        pods = f"kubectl get pods -n {namespace} -l pipeline/runid={run_id}"
        _say(f"\ntask {task.name}: failed; the server does not give its log. Try: {pod if task.pod else pods}")
        return
    # Kubeflow's launcher is the pod's process and ends with 1 whatever happened; its last words have the stage's code.
    codes = re.findall(r"exit status (\d+)", log)
    _say(f"\ntask {task.name}: failed with exit code {codes[-1]}" if codes else f"\ntask {task.name}: failed")
    _say(f"the end of the log of {task.pod}:")
    for line in log.splitlines()[-TAIL:]:
        _say(f"    {line}")


def _log(cluster: Cluster, run_id: str, pod: str) -> str | None:
    values = {"run": run_id, "pod": pod}
    query = {"podname": pod, "podnamespace": cluster.settings.namespace, "runid": run_id}
    for path, names in LOGS:
        try:
            answer = cluster.client.call_api(
                path,
                "GET",
                path_params=values,
                query_params=[(name, query[name]) for name in names],
                auth_settings=["Bearer"],
                _preload_content=False,
            )
        except (ApiException, HTTPError):
            continue
        if answer.headers.get("content-type", "").startswith("text/plain"):  # else it is some page
            text: str = answer.data.decode("utf-8", "replace")
            return text
    return None


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

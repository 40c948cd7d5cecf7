"""A stand-in for the API server of Kubeflow Pipelines 2.17, for what ferflow asks of it.

Every request and every answer is held to the models of `kfp_server_api`, the client that KFP generates from its API: a
field that they do not have, or of another type, fails the test. Rules that the models do not say are the server's own:
names are unique, a shared server wants a namespace and a private one refuses it, parameters must be the graph's.
"""

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from tests.pipeline.cluster.kfp_models import Json, held_to, nodes


class Refusal(Exception):
    """An answer that is none of the wanted ones."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Fault:
    """What goes wrong with the next requests of a kind."""

    method: str
    path: str
    """a regular expression"""
    status: int = 0
    """of the answer; 0 cuts the connection"""
    done: bool = False
    """whether the request is served all the same, and only its answer is lost or another"""
    times: int = 1


@dataclass
class Server:
    """The server's state, and how it is to behave."""

    version: str = "2.17.0"
    shared: bool = True
    """for several users, by namespace"""
    token: str = ""
    """that it wants; none where it is empty"""
    page_of: str = ""
    """an HTML page that it answers everything with, as a proxy that wants a login"""
    faults: list[Fault] = field(default_factory=list)
    frames: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    """what the states of run and tasks (by key) are at each look at a run; the last one stays"""
    history: list[str] = field(default_factory=list)
    """states that the run had before"""
    logs: dict[str, str] = field(default_factory=dict)
    """by the key of a task"""
    logs_at: str = "api"
    """which of the two servers gives logs: api or pages"""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """method and path of those that came"""
    problems: list[str] = field(default_factory=list)
    """requests or answers that the models do not allow"""
    pipelines: dict[str, Json] = field(default_factory=dict)
    versions: dict[str, Json] = field(default_factory=dict)
    experiments: dict[str, Json] = field(default_factory=dict)
    runs: dict[str, Json] = field(default_factory=dict)
    schedules: dict[str, Json] = field(default_factory=dict)
    host: str = ""

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The requests that change something."""
        return [request for request in self.requests if request[0] != "GET"]

    def new(self, kind: str) -> tuple[str, str]:
        """An id, and a time later than all before."""
        number = next(self._numbers)
        now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        return f"{kind}-{number:04d}", now.isoformat()

    def answer(self, method: str, path: str, query: Json, body: Any) -> tuple[str, Json] | str:
        """The model and the data of the answer to a request, or a text."""
        for pattern, operation in OPERATIONS.items():
            wanted, _, expression = pattern.partition(" ")
            found = re.fullmatch(expression, path)
            if wanted == method and found:
                answer: tuple[str, Json] | str = operation(self, *found.groups(), query=query, body=body)
                return answer
        raise Refusal(404, "Not Found")

    def namespace(self, given: str | None) -> str:
        """The namespace of a request."""
        if self.shared and not given:
            raise Refusal(400, "No namespace provided in multi-user mode.")
        if not self.shared and given:
            raise Refusal(400, "Namespace should not be provided in single-user mode.")
        if given not in (None, "team"):
            raise Refusal(403, "User is not authorized")
        return given or ""


def listed(entries: Mapping[str, Json], query: Json, name: str, model: str, **wanted: str) -> tuple[str, Json]:
    """A page of a list."""
    found = [entry for entry in entries.values() if all(entry.get(key) == value for key, value in wanted.items())]
    if "filter" in query:
        condition = json.loads(query["filter"])
        held_to("V2beta1Filter", condition)
        for predicate in condition["predicates"]:
            assert predicate["operation"] == "EQUALS", predicate
            found = [entry for entry in found if entry[predicate["key"]] == predicate["string_value"]]
    if query.get("sort_by") == "created_at desc":
        found = sorted(found, key=lambda entry: str(entry["created_at"]), reverse=True)
    start, size = int(query.get("page_token") or 0), int(query.get("page_size") or 10)
    page: Json = {name: found[start : start + size], "total_size": len(found)}
    if start + size < len(found):
        page["next_page_token"] = str(start + size)
    return model, page


def healthz(server: Server, query: Json, body: Any) -> tuple[str, Json]:
    # The model lacks the two fields by which the server says what it is; backend/src/apiserver/main.go has them.
    told = {"multi_user": server.shared, "pipeline_store": "database"}
    held_to("V2beta1GetHealthzResponse", told)
    return "object", {"commit_sha": "0" * 40, "tag_name": server.version, **told}


def create_pipeline(server: Server, query: Json, body: Any) -> tuple[str, Json]:
    held_to("V2beta1Pipeline", body)
    namespace = server.namespace(body.get("namespace"))
    if any(
        entry["name"] == body["name"] and entry.get("namespace", "") == namespace for entry in server.pipelines.values()
    ):
        raise Refusal(409, f"Already exist error: The name {body['name']} already exist.")
    id_, now = server.new("pipeline")
    server.pipelines[id_] = {**body, "pipeline_id": id_, "created_at": now}
    return "V2beta1Pipeline", server.pipelines[id_]


def list_pipelines(server: Server, query: Json, body: Any) -> tuple[str, Json]:
    wanted = {"namespace": namespace} if (namespace := server.namespace(query.get("namespace"))) else {}
    return listed(server.pipelines, query, "pipelines", "V2beta1ListPipelinesResponse", **wanted)


def upload_version(server: Server, query: Json, body: Any) -> tuple[str, Json]:
    if query["pipelineid"] not in server.pipelines:
        raise Refusal(400, "Failed to create a pipeline version")
    spec, platform = yaml.safe_load_all(body["uploadfile"])
    same = [entry for entry in server.versions.values() if entry["pipeline_id"] == query["pipelineid"]]
    if any(entry["name"] == query["name"] for entry in same):
        raise Refusal(409, "Failed to create a pipeline version")
    id_, now = server.new("version")
    server.versions[id_] = {
        "pipeline_id": query["pipelineid"],
        "pipeline_version_id": id_,
        "name": query["name"],
        "display_name": query["display_name"],
        "created_at": now,
        "pipeline_spec": {"pipeline_spec": spec, "platform_spec": platform},
    }
    return "V2beta1PipelineVersion", server.versions[id_]


def list_versions(server: Server, pipeline: str, query: Json, body: Any) -> tuple[str, Json]:
    model = "V2beta1ListPipelineVersionsResponse"
    return listed(server.versions, query, "pipeline_versions", model, pipeline_id=pipeline)


def get_version(server: Server, pipeline: str, version: str, query: Json, body: Any) -> tuple[str, Json]:
    return "V2beta1PipelineVersion", one(server.versions, version)


def create_experiment(server: Server, query: Json, body: Any) -> tuple[str, Json]:
    held_to("V2beta1Experiment", body)
    server.namespace(body.get("namespace"))
    if any(entry["display_name"] == body["display_name"] for entry in server.experiments.values()):
        raise Refusal(409, "Already exist error")
    id_, now = server.new("experiment")
    server.experiments[id_] = {**body, "experiment_id": id_, "created_at": now, "storage_state": "AVAILABLE"}
    return "V2beta1Experiment", server.experiments[id_]


def list_experiments(server: Server, query: Json, body: Any) -> tuple[str, Json]:
    server.namespace(query.get("namespace"))
    return listed(server.experiments, query, "experiments", "V2beta1ListExperimentsResponse")


def runnable(server: Server, body: Json) -> None:
    """Refuse what names no experiment or version, or other parameters than the graph's."""
    one(server.experiments, body["experiment_id"])
    version = one(server.versions, body["pipeline_version_reference"]["pipeline_version_id"])
    inputs = version["pipeline_spec"]["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]
    unknown = body["runtime_config"]["parameters"].keys() - inputs.keys()
    if unknown:
        raise Refusal(400, f"unknown parameters: {', '.join(unknown)}")


def create_run(server: Server, query: Json, body: Any) -> tuple[str, Json]:
    held_to("V2beta1Run", body)
    runnable(server, body)
    id_, now = server.new("run")
    server.runs[id_] = {**body, "run_id": id_, "created_at": now, "state": "PENDING", "storage_state": "AVAILABLE"}
    return "V2beta1Run", server.runs[id_]


def list_runs(server: Server, query: Json, body: Any) -> tuple[str, Json]:
    server.namespace(query.get("namespace"))
    return listed(server.runs, query, "runs", "V2beta1ListRunsResponse")


def get_run(server: Server, run: str, query: Json, body: Any) -> tuple[str, Json]:
    found = one(server.runs, run)
    if server.frames:
        state, tasks = server.frames.pop(0) if len(server.frames) > 1 else server.frames[0]
        found["state"] = state
        found["run_details"] = {"task_details": nodes(run, tasks)}
        found["state_history"] = [{"state": earlier} for earlier in (*server.history, state)]
    return "V2beta1Run", found


def terminate_run(server: Server, run: str, query: Json, body: Any) -> tuple[str, Json]:
    one(server.runs, run)["state"] = "CANCELING"
    return "object", {}


def create_schedule(server: Server, query: Json, body: Any) -> tuple[str, Json]:
    held_to("V2beta1RecurringRun", body)
    server.namespace(body.get("namespace"))
    runnable(server, body)
    if not 1 <= int(body["max_concurrency"]) <= 10:
        raise Refusal(400, "Max concurrency of a recurring run must be at leas 1 and at most 10.")
    if len(body["trigger"]["cron_schedule"]["cron"].split()) != 6:
        raise Refusal(400, "Schedule cron is not a supported format")
    id_, now = server.new("schedule")
    status = "ENABLED" if body["mode"] == "ENABLE" else "DISABLED"
    server.schedules[id_] = {**body, "recurring_run_id": id_, "created_at": now, "updated_at": now, "status": status}
    return "V2beta1RecurringRun", server.schedules[id_]


def list_schedules(server: Server, query: Json, body: Any) -> tuple[str, Json]:
    server.namespace(query.get("namespace"))
    return listed(server.schedules, query, "recurringRuns", "V2beta1ListRecurringRunsResponse")


def enable(server: Server, schedule: str, query: Json, body: Any) -> tuple[str, Json]:
    one(server.schedules, schedule).update(status="ENABLED", mode="ENABLE")
    return "object", {}


def disable(server: Server, schedule: str, query: Json, body: Any) -> tuple[str, Json]:
    one(server.schedules, schedule).update(status="DISABLED", mode="DISABLE")
    return "object", {}


def delete_schedule(server: Server, schedule: str, query: Json, body: Any) -> tuple[str, Json]:
    one(server.schedules, schedule)
    del server.schedules[schedule]
    return "object", {}


def api_log(server: Server, run: str, pod: str, query: Json, body: Any) -> str:
    return log(server, pod, "api")


def page_log(server: Server, query: Json, body: Any) -> str:
    assert query["podnamespace"] == "team", query
    assert query["runid"] in server.runs, query
    return log(server, query["podname"], "pages")


def log(server: Server, pod: str, asked: str) -> str:
    for task, text in server.logs.items():
        if asked == server.logs_at and f"-{task}-" in pod:
            return text
    raise Refusal(500, f"Failed to read logs from pod {pod}")


def one(entries: Mapping[str, Json], id_: str) -> Json:
    if id_ not in entries:
        raise Refusal(404, f"ResourceNotFoundError: {id_} not found.")
    return entries[id_]


API = "/apis/v2beta1"
OPERATIONS: Mapping[str, Any] = {
    f"GET {API}/healthz": healthz,
    f"POST {API}/pipelines": create_pipeline,
    f"GET {API}/pipelines": list_pipelines,
    f"POST {API}/pipelines/upload_version": upload_version,
    f"GET {API}/pipelines/([^/]+)/versions": list_versions,
    f"GET {API}/pipelines/([^/]+)/versions/([^/]+)": get_version,
    f"POST {API}/experiments": create_experiment,
    f"GET {API}/experiments": list_experiments,
    f"POST {API}/runs": create_run,
    f"GET {API}/runs": list_runs,
    f"GET {API}/runs/([^/]+)": get_run,
    f"POST {API}/runs/([^/]+):terminate": terminate_run,
    f"POST {API}/recurringruns": create_schedule,
    f"GET {API}/recurringruns": list_schedules,
    f"POST {API}/recurringruns/([^/]+):enable": enable,
    f"POST {API}/recurringruns/([^/]+):disable": disable,
    f"DELETE {API}/recurringruns/([^/]+)": delete_schedule,
    "GET /apis/v1alpha1/runs/([^/]+)/nodes/([^/]+)/log": api_log,
    "GET /k8s/pod/logs": page_log,
}

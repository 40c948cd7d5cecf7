"""JSON held to the models of `kfp_server_api`, and what a server tells of a workflow's nodes."""

import itertools
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import kfp_server_api

Json = dict[str, Any]

PLAIN: Mapping[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "bool": (bool,), "float": (float, int)}


def held_to(model: str, data: Any, where: str = "") -> None:
    """Fail where `data`, as JSON, is not what the client's model says."""
    where = where or model
    if inner := re.fullmatch(r"list\[(.+)\]", model):
        assert isinstance(data, list), where
        for entry in data:
            held_to(inner[1], entry, f"{where}[]")
    elif inner := re.fullmatch(r"dict\(str, (.+)\)", model):
        assert isinstance(data, dict), where
        for name, entry in data.items():
            held_to(inner[1], entry, f"{where}.{name}")
    elif model == "datetime":
        datetime.fromisoformat(data)
    elif model in PLAIN:
        assert isinstance(data, PLAIN[model]), f"{where}: {data!r} is no {model}"
        assert model == "bool" or not isinstance(data, bool), where
    elif model != "object":
        described = getattr(kfp_server_api.models, model)
        if allowed := getattr(described, "allowable_values", None):
            assert data in allowed, f"{where}: {data!r}"
            return
        assert isinstance(data, dict), f"{where}: {data!r}"
        types = {described.attribute_map[name]: kind for name, kind in described.openapi_types.items()}
        for name, entry in data.items():
            assert name in types, f"{where} has no {name}"
            held_to(types[name], entry, f"{where}.{name}")


def nodes(run: str, tasks: Mapping[str, str]) -> list[Json]:
    """The nodes of a workflow whose tasks, by key, are in these states: those of Kubeflow, and some ways to get there.

    As Argo has it, a pod's node has the drivers of the tasks behind it as children, not only what is its own.
    """
    numbers = itertools.count(1000)
    found: list[Json] = []

    def node(name: str, template: str, state: str, children: list[Json]) -> Json:
        number = next(numbers)
        entry = {
            "run_id": run,
            "task_id": f"task-{number}",
            "display_name": name,
            "state": state,
            "pod_name": f"workflow-{template}-{number}",
            "child_tasks": [{"pod_name": f"workflow-{child['pod_name'].rpartition('-')[2]}"} for child in children],
        }
        found.append(entry)
        return entry

    behind: list[Json] = []
    for key, state in list(tasks.items())[::-1]:
        if state == "WAITING":
            continue
        own: list[Json]
        match state:
            case "PENDING" | "DRIVER FAILED":
                drawn = {"PENDING": "RUNNING", "DRIVER FAILED": "FAILED"}[state]
                behind = [node(f"{key}-driver", f"{key}-driver", drawn, [])]
                continue
            case "CACHED":
                own, drawn = [node("executor", f"{key}-impl", "SKIPPED", behind)], "SUCCEEDED"
            case "RETRIED":
                tries = [
                    node(f"executor({number})", f"{key}-impl", end, [])
                    for number, end in ((0, "FAILED"), (1, "SUCCEEDED"))
                ]
                own, drawn = [node("executor", f"{key}-impl", "SUCCEEDED", tries)], "SUCCEEDED"
            case "FAILED":
                tries = [node(f"executor({number})", f"{key}-impl", "FAILED", []) for number in range(11)]
                own, drawn = [node("executor", f"{key}-impl", "FAILED", tries)], "FAILED"
            case _:
                own, drawn = [node("executor", f"{key}-impl", state, behind)], state
        task = node(key, f"{key}-executor", drawn, own)
        behind = [node(f"{key}-driver", f"{key}-driver", "SUCCEEDED", [task])]
    return found

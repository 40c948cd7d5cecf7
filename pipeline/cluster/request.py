"""What somebody asks a cluster to run: a job, its values there and its data; checked as far as needs no network.

Values come from params.yaml, the address of the data, infra/cluster.yaml and the command line; the last one wins.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.fer.errors import InputError, UsageError
from pipeline import jobs, parameters
from pipeline.cluster import remote
from pipeline.cluster.settings import Settings
from pipeline.jobs import Job
from pipeline.parameters import Parameters, dotted

LASTING = {"registry__store": "gs://", "registry__registry": "http"}
"""How the values begin that name a place which outlives the pod."""

PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]*@")
"""in an address"""


@dataclass(frozen=True)
class Request:
    """A job and what it is to run with."""

    name: str
    """main, or the recipe's"""
    job: Job
    own: Parameters
    """as in params.yaml"""
    values: Parameters
    """as on the cluster"""
    url: str
    """of the DVC remote that has the data"""

    @property
    def changed(self) -> dict[str, tuple[Any, Any]]:
        """By dotted name: value in params.yaml, value on the cluster."""
        pairs = {name: (value, self.values[name]) for name, value in self.own.items()}
        return {dotted(name): (before, after) for name, (before, after) in sorted(pairs.items()) if before != after}


def request(recipe: str | None, settings: Settings, assigned: Mapping[str, Any]) -> Request:
    """The main job, or a recipe, with its values on the cluster.

    Raises `InputError` for values that no stage would take, for an address with a password, and for a store or registry
    inside of the pod.
    """
    name, job = jobs.job(recipe)
    own = parameters.read(job.folder / "params.yaml")
    url = str(assigned.get("data.path") or remote.address(settings.data))
    where = "infra/cluster.yaml: parameters"
    values = parameters.replaced(own, {"data.path": url}, where)
    for key, value in settings.parameters.items():
        if key.replace(".", parameters.SEPARATOR, 1) in values:
            values = parameters.replaced(values, {key: value}, where)
        else:  # another graph's, for the settings are those of all of them
            parameters.checked(f"{where}: {key}", key.partition(".")[2], value)
    values = parameters.replaced(values, assigned, "--set")
    for key, value in values.items():
        if PASSWORD.search(str(value)):
            raise InputError(
                f"{dotted(key)}: expected an address without a password, for whoever sees a run sees its values.",
                "Name a server that asks the cluster's own pods for none: infra/kubernetes/components/mlflow is one.",
            )
    for lasting, beginning in LASTING.items():
        place = values.get(lasting)
        if place is not None and not str(place).startswith(beginning):
            raise InputError(
                f"{dotted(lasting)}: expected {beginning}..., a place which outlives the pod. Received: {place}",
                f"Set {dotted(lasting)} under parameters in infra/cluster.yaml.",
            )
    return Request(name, job, own, values, url)


def assignments(words: Sequence[str]) -> dict[str, str]:
    """`KEY=VALUE` words of the command line as a dictionary. Raises `UsageError` for others."""
    for word in words:
        if "=" not in word:
            raise UsageError(f"--set: expected KEY=VALUE, e.g. training.seed=2. Received: {word}")
    return {word.partition("=")[0]: word.partition("=")[2] for word in words}

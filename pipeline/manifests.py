"""What of infra/kubernetes follows from infra/pools.yaml and infra/images.lock.json: quotas, accounts, images.

Kubernetes cannot bound what a namespace takes of one node pool. It can bound what pods of one priority class take: so
each pool has a class, all of the same priority, and a quota of what its nodes have together.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from components.container import IMAGE
from pipeline import images
from pipeline.desk import ROOT
from pipeline.placement import ACCELERATOR, Pool, Table, quantity

FOLDER = ROOT / "infra" / "kubernetes"

GPUS = f"requests.{ACCELERATOR}"

SIDECAR: Mapping[str, str] = {"cpu": "50m", "memory": "64Mi"}
"""what a container gets that asks for nothing: Argo's beside a stage"""
SIDECAR_LIMIT: Mapping[str, str] = {"cpu": "500m", "memory": "512Mi"}

NAMESPACE: Mapping[str, int | str] = {
    "pods": 200,
    "persistentvolumeclaims": 4,
    "requests.storage": "100Gi",
    "services.loadbalancers": 0,  # what would be reached from outside of the cluster
    "services.nodeports": 0,
}
"""bounds of the namespace that have nothing to do with pools"""

SERVICES = ("push-model", "resolve", "serve")
"""components whose images the manifests name; push-model's has MLflow's server"""

Document = dict[str, Any]


def generated(table: Table) -> Iterator[tuple[Path, str]]:
    """Path and text of each generated file."""
    pools, lock = "infra/pools.yaml", images.LOCK.relative_to(ROOT).as_posix()
    yield FOLDER / "base" / "quotas.yaml", _text(pools, quotas(table))
    yield FOLDER / "components" / "stage-identities" / "accounts.yaml", _text(pools, accounts(table))
    yield FOLDER / "images" / "kustomization.yaml", _text(lock, [image_names(images.lock())])


def quotas(table: Table) -> list[Document]:
    """A priority class and a quota for each pool, a quota of the namespace, and what a container may ask for."""
    classes = [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": _name(pool)},
            "value": 0,  # that of pods without a class: this one is there to be counted
            "description": f"pods on the node pool {pool}",
        }
        for pool in table.pools
    ]
    gpus = sum(int(_hard(pool).get(GPUS, 0)) for pool in table.pools.values())
    return [
        *classes,
        *(_quota(name, _hard(pool), scoped=True) for name, pool in table.pools.items()),
        _quota("namespace", {**({GPUS: gpus} if gpus else {}), **NAMESPACE}),
        _limits(table),
    ]


def accounts(table: Table) -> list[Document]:
    """A service account for each stage, with the rights in the namespace that every stage has."""
    names = [_name(stage) for stage in table.stages]
    return [
        *({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}} for name in names),
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "ferflow-stages"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "ferflow-run"},
            "subjects": [{"kind": "ServiceAccount", "name": name} for name in names],
        },
    ]


def image_names(pushed: Mapping[str, str]) -> Document:
    """The images of the manifests by digest, as far as they were `pushed` (component to name by digest)."""
    entries = []
    for component in SERVICES:
        local, _, tag = IMAGE.format(stage=component, version=version("ferflow")).partition(":")
        place, _, digest = pushed.get(component, "").partition("@")
        entries.append({"name": local, **({"newName": place, "digest": digest} if digest else {"newTag": tag})})
    return {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "images": entries}


def _name(pool_or_stage: str) -> str:
    return f"ferflow-{pool_or_stage}"


def _hard(pool: Pool) -> dict[str, Any]:
    """What all nodes of a pool have for pods; its nodes on demand take the place of spot ones, and add nothing."""
    nodes, memory = pool.nodes.max, pool.allocatable.memory
    number, unit = re.fullmatch(r"(\d+)(\w+)", memory).groups()  # type: ignore[union-attr] # placement.Memory
    hard: dict[str, Any] = {
        "requests.cpu": f"{nodes * pool.allocatable.cpu:g}",
        "requests.memory": f"{nodes * int(number)}{unit}",
    }
    if pool.accelerator:
        hard[GPUS] = nodes * pool.accelerator.count * pool.accelerator.shared_by
    return hard


def _quota(name: str, hard: Mapping[str, Any], *, scoped: bool = False) -> Document:
    selected = [{"scopeName": "PriorityClass", "operator": "In", "values": [_name(name)]}]
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": _name(name)},
        "spec": {"hard": dict(hard), **({"scopeSelector": {"matchExpressions": selected}} if scoped else {})},
    }


def _limits(table: Table) -> Document:
    """No container may ask for more than the largest node has; one that says nothing gets little."""
    largest = {
        "cpu": f"{max(pool.allocatable.cpu for pool in table.pools.values()):g}",
        "memory": max((pool.allocatable.memory for pool in table.pools.values()), key=quantity),
    }
    container = {
        "type": "Container",
        "defaultRequest": dict(SIDECAR),
        "default": dict(SIDECAR_LIMIT),
        "max": largest,
    }
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "ferflow"},
        "spec": {"limits": [container]},
    }


def _text(source: str, documents: list[Document]) -> str:
    return f"# Generated by `ferflow compile` from {source}.\n" + yaml.safe_dump_all(documents, sort_keys=False)

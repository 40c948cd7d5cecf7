"""Kubernetes' own scheduler puts the pods of a run on the nodes of infra/pools.yaml, which are made up, GPUs and all.

A node is an object without a machine behind it: the scheduler knows no difference, and no pod starts.
"""

import copy
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.placement import ACCELERATOR, Pool, Table
from tests.infra import pods
from tests.infra.conftest import Kubectl
from tests.infra.test_admission import NAMESPACE, made

pytestmark = pytest.mark.slow

SECONDS_BETWEEN_SIGNS = 10
"""of a node's life; without one for 40 seconds it counts as lost"""
LEASES = "kube-node-lease"
Labels = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def table() -> Table:
    return Table.read()


def node(name: str, pool: Pool) -> pods.Object:
    """A node of a pool, as a kubelet would register it."""
    has = {"cpu": f"{pool.allocatable.cpu:g}", "memory": pool.allocatable.memory, "pods": "110"}
    if pool.accelerator:
        has[ACCELERATOR] = str(pool.accelerator.count * pool.accelerator.shared_by)
    taint = pool.taint
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**pool.selector, "kubernetes.io/hostname": name}},
        "spec": {"taints": [taint.model_dump()] if taint else []},
        "status": {
            "capacity": has,
            "allocatable": has,
            "conditions": [{"type": "Ready", "status": "True", "reason": "Made", "lastHeartbeatTime": now()}],
        },
    }


def lease(name: str) -> pods.Object:
    """The sign of life of a node."""
    specification = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now()}
    metadata = {"name": name, "namespace": LEASES}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": specification}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@pytest.fixture(scope="module")
def nodes(cluster: Kubectl, table: Table) -> Iterator[Labels]:
    """As many nodes as each pool may have, alive until the tests end. Gives the labels of all nodes."""
    names = {f"ferflow-{pool}-{index}": pool for pool in table.pools for index in range(table.pools[pool].nodes.max)}
    ended = threading.Event()

    def live() -> None:
        while not ended.wait(SECONDS_BETWEEN_SIGNS):
            cluster("apply", "-f", "-", given=[lease(name) for name in names])

    beats = threading.Thread(target=live)
    try:
        cluster("apply", "-f", "-", given=[lease(name) for name in names])
        created = cluster("create", "-f", "-", given=[node(name, table.pools[pool]) for name, pool in names.items()])
        assert created.returncode == 0, created.stderr
        beats.start()
        cluster("wait", "--for=condition=Ready", "--timeout=60s", *(f"node/{name}" for name in names))
        found = json.loads(cluster("get", "nodes", "-o", "json").stdout)["items"]
        yield {entry["metadata"]["name"]: entry["metadata"]["labels"] for entry in found}
    finally:
        ended.set()
        if beats.is_alive():
            beats.join()
        cluster("delete", "-n", NAMESPACE, "pods", "--all", "--force", "--grace-period=0")
        cluster("delete", "--ignore-not-found", *(f"node/{name}" for name in names))
        cluster("delete", "-n", LEASES, "--ignore-not-found", *(f"lease/{name}" for name in names))


def decided(cluster: Kubectl, names: list[str]) -> dict[str, Any]:
    """The pods, as soon as the scheduler has said yes or no to each."""
    found: dict[str, Any] = {}
    for _ in range(60):
        listed = json.loads(cluster("get", "-n", NAMESPACE, "pods", "-o", "json").stdout)["items"]
        found = {entry["metadata"]["name"]: entry for entry in listed}
        if all(found.get(name, {}).get("status", {}).get("conditions") for name in names):
            break
        time.sleep(1)
    return {name: found[name] for name in names}


def test_each_stage_is_put_on_a_node_of_its_pool(cluster: Kubectl, nodes: Labels, table: Table) -> None:
    """All at once: the two trainings and the evaluation, each with a GPU of its own."""
    run = made(table)
    created = cluster("create", "-f", "-", given=run)
    assert created.returncode == 0, created.stderr
    found = decided(cluster, [pod["metadata"]["name"] for pod in run])
    used = []
    for name, pod in found.items():
        pool = table.pools[pod["metadata"]["labels"]["ferflow/pool"]]
        assert "nodeName" in pod["spec"], (name, pod["status"])
        assert nodes[pod["spec"]["nodeName"]].items() >= pool.selector.items()
        used += [pod["spec"]["nodeName"]] if pool.accelerator else []
    assert len(used) == len(set(used)) >= 4


def test_a_pod_without_the_toleration_stays_off_the_gpus(cluster: Kubectl, nodes: Labels, table: Table) -> None:
    pod = copy.deepcopy(next(entry for entry in made(table) if entry["spec"]["tolerations"]))
    pod["metadata"]["name"], pod["spec"]["tolerations"] = "intruder", []
    created = cluster("create", "-f", "-", given=pod)
    assert created.returncode == 0, created.stderr
    found = decided(cluster, ["intruder"])["intruder"]
    assert "nodeName" not in found["spec"]
    assert "untolerated taint" in found["status"]["conditions"][0]["message"]

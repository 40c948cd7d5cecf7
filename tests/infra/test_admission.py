"""A real Kubernetes takes the manifests and the pods of compiled runs under "restricted", and refuses others."""

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline import ir, kubeflow, parameters
from pipeline.jobs import jobs
from pipeline.placement import Table
from tests.infra import pods
from tests.infra.conftest import Kubectl

NAMESPACE = "ferflow"

pytestmark = pytest.mark.slow


def made(table: Table, *, scheduled: bool = False) -> list[pods.Object]:
    """A pod of each task of the main job."""
    job = jobs()["main"]
    values = {**parameters.read(job.folder / "params.yaml")}
    if scheduled:
        values |= {"schedule__data_dvc": "https://host/data.dvc", "schedule__always": False}
    found = ir.tasks(*kubeflow.compiled(job.graph, values, scheduled=scheduled), table.pools)
    return [pods.pod(task, f"run-{task.name}", NAMESPACE, "ferflow-run") for task in found]


@pytest.fixture(scope="module")
def table() -> Table:
    return Table.read()


def asked(cluster: Kubectl, pod: pods.Object) -> tuple[int, Any, str]:
    """What Kubernetes makes of a pod, or what it says against it."""
    done = cluster("create", "-f", "-", "--dry-run=server", "-o", "json", given=pod)
    return done.returncode, json.loads(done.stdout) if done.returncode == 0 else None, done.stderr


@pytest.mark.parametrize("scheduled", [False, True], ids=["run", "scheduled"])
def test_the_pods_of_a_run_are_accepted(scheduled: bool, cluster: Kubectl, table: Table) -> None:
    """Selectors, tolerations, limits and security context, each as Kubernetes itself checks it."""
    found = made(table, scheduled=scheduled)
    assert len(found) >= 6
    for pod in found:
        code, accepted, told = asked(cluster, pod)
        assert code == 0, told
        assert "Warning" not in told, told
        stage = table.stages[pod["metadata"]["labels"]["ferflow/component"]]
        spec = accepted["spec"]
        assert spec["nodeSelector"] == table.pools[stage.pool].selector
        main = next(entry for entry in spec["containers"] if entry["name"] == "main")
        assert main["resources"]["limits"].get("nvidia.com/gpu", "0") == str(stage.accelerators)
        assert main["securityContext"]["runAsNonRoot"] is True


def test_a_stage_gets_its_own_account_and_the_class_of_its_pool(cluster: Kubectl, table: Table) -> None:
    for pod in made(table):
        _, accepted, _ = asked(cluster, pod)
        component, pool = (pod["metadata"]["labels"][f"ferflow/{key}"] for key in ("component", "pool"))
        assert accepted["spec"]["serviceAccountName"] == f"ferflow-{component}"
        assert accepted["spec"]["priorityClassName"] == f"ferflow-{pool}"
        assert accepted["spec"]["priority"] == 0


FAULTS: dict[str, tuple[list[str | int], Any, str]] = {
    "root": (["spec", "containers", 1, "securityContext", "runAsNonRoot"], False, "runAsNonRoot != true"),
    "privileges": (["spec", "containers", 1, "securityContext", "allowPrivilegeEscalation"], True, "allowPrivilegeEsc"),
    "host's files": (["spec", "volumes", 0], {"name": "kfp-launcher", "hostPath": {"path": "/"}}, "hostPath"),
    "host's network": (["spec", "hostNetwork"], True, "host namespaces"),
    "more memory than a node has": (
        ["spec", "containers", 1, "resources", "limits", "memory"],
        "200Gi",
        "maximum memory usage per Container is",
    ),
    "no such stage": (["metadata", "labels", "ferflow/component"], "nothing", "ferflow-nothing"),
    "no such pool": (["metadata", "labels", "ferflow/pool"], "nothing", "ferflow-nothing"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_other_pods_are_refused(fault: str, cluster: Kubectl, table: Table) -> None:
    path, value, expected = FAULTS[fault]
    pod: Any = copy.deepcopy(made(table)[0])
    *above, last = path
    entry = pod
    for key in above:
        entry = entry[key]
    entry[last] = value
    code, _, told = asked(cluster, pod)
    assert code != 0
    assert expected in told


def test_a_pool_is_bounded_by_its_quota(cluster: Kubectl, table: Table, tmp_path: Path) -> None:
    """As many pods with a GPU as the pool may have nodes; the next one is refused, on another pool it is not."""
    small, large = (
        next(pod for pod in made(table) if pod["metadata"]["labels"]["ferflow/pool"] == pool)
        for pool in ("gpu-small", "gpu-large")
    )
    most = table.pools["gpu-small"].nodes.max
    several = [{**small, "metadata": {**small["metadata"], "name": f"busy-{number}"}} for number in range(most)]
    try:
        created = cluster("create", "-f", "-", given=several)
        assert created.returncode == 0, created.stderr
        for _ in range(60):
            code, _, told = asked(cluster, small)
            if code:
                break
            time.sleep(0.5)
        assert "exceeded quota: ferflow-gpu-small" in told
        assert f"requests.nvidia.com/gpu={most}" in told
        assert asked(cluster, large)[0] == 0
    finally:
        cluster("delete", "-n", NAMESPACE, "pods", "--all", "--force", "--grace-period=0")

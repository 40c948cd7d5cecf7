"""infra/pools.yaml is the only table of pools: Terraform, the placement and the quotas follow a change of it."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.fer.errors import InputError
from infra.check.program import REPOSITORY
from pipeline import ir, kubeflow, manifests, parameters, placement
from pipeline.jobs import jobs
from pipeline.placement import Table
from tests.infra.conftest import Console

MODULE = REPOSITORY / "infra" / "terraform" / "pools"


@pytest.fixture
def document() -> Any:
    return yaml.safe_load(placement.POOLS.read_text())


def written(document: Any, folder: Path) -> Path:
    path = folder / "pools.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def hard(table: Table, pool: str) -> Any:
    found = {entry["metadata"]["name"]: entry for entry in manifests.quotas(table) if entry["kind"] == "ResourceQuota"}
    return found[f"ferflow-{pool}"]["spec"]["hard"]


def test_terraform_reads_the_table_itself(document: Any, console: Console) -> None:
    """By yamldecode: every pool as it stands there, and one on demand beside each that is spot with a fallback."""
    pools = console(MODULE, "local.primary", file=str(placement.POOLS))
    assert pools.keys() == document["pools"].keys()
    for name, pool in document["pools"].items():
        assert pools[name] == {
            "machine_type": pool["machine_type"],
            "spot": pool["spot"],
            "min_nodes": pool["nodes"]["min"],
            "max_nodes": pool["nodes"]["max"],
            "accelerator": pool["accelerator"],
            "labels": pool["selector"],
            "taints": [pool["taint"]] if pool["taint"] else [],
        }
    fallback = console(MODULE, "local.fallback", file=str(placement.POOLS))
    assert fallback == {"gpu-small-on-demand": {**pools["gpu-small"], "spot": False, "min_nodes": 0}}


def test_gpu_pools_begin_at_zero_and_are_tainted(console: Console) -> None:
    for pool in console(MODULE, "merge(local.primary, local.fallback)", file=str(placement.POOLS)).values():
        if pool["accelerator"]:
            assert pool["min_nodes"] == 0
            assert pool["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]


def test_a_changed_pool_is_followed_by_all_three(document: Any, console: Console, tmp_path: Path) -> None:
    """More nodes of another machine, with another label and taint, two pods to a GPU."""
    pool = document["pools"]["gpu-small"]
    pool["machine_type"], pool["nodes"]["max"] = "g2-standard-16", 6
    pool["allocatable"] = {"cpu": 15.5, "memory": "58Gi"}
    pool["selector"], pool["taint"]["value"] = {"team/nodes": "l4"}, "ours"
    pool["accelerator"]["shared_by"] = 2
    path = written(document, tmp_path)

    terraform = console(MODULE, "local.primary", file=str(path))["gpu-small"]
    assert (terraform["machine_type"], terraform["max_nodes"]) == ("g2-standard-16", 6)
    assert (terraform["labels"], terraform["taints"][0]["value"]) == ({"team/nodes": "l4"}, "ours")
    assert terraform["accelerator"]["shared_by"] == 2

    table = Table.read(path)
    assert hard(table, "gpu-small") == {
        "requests.cpu": "93",
        "requests.memory": "348Gi",
        "requests.nvidia.com/gpu": 12,
    }
    assert hard(table, "namespace")["requests.nvidia.com/gpu"] == 14
    limits = next(entry for entry in manifests.quotas(table) if entry["kind"] == "LimitRange")
    assert limits["spec"]["limits"][0]["max"] == {"cpu": "15.5", "memory": "77Gi"}


def test_placement_follows_a_changed_pool(document: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = document["pools"]["gpu-small"]
    pool["selector"], pool["taint"]["value"] = {"team/nodes": "l4"}, "ours"
    monkeypatch.setattr(placement, "POOLS", written(document, tmp_path))
    table = Table.read(placement.POOLS)
    monkeypatch.setattr(Table, "read", lambda: table)
    job = jobs()["main"]
    compiled = kubeflow.compiled(job.graph, parameters.read(job.folder / "params.yaml"))
    tasks = {task.name: task for task in ir.tasks(*compiled, table.pools)}
    evaluate = tasks["evaluate"].kubernetes
    assert dict(evaluate.node_selector.labels) == {"team/nodes": "l4"}
    assert [entry.value for entry in evaluate.tolerations] == ["ours"]
    assert dict(tasks["train-hybrid"].kubernetes.node_selector.labels) == {"ferflow/pool": "gpu-large"}


def test_quotas_of_other_pools_stay(document: Any, tmp_path: Path) -> None:
    before = Table.read(written(copy.deepcopy(document), tmp_path))
    document["pools"]["gpu-small"]["nodes"]["max"] = 9
    after = Table.read(written(document, tmp_path))
    assert hard(after, "gpu-large") == hard(before, "gpu-large")
    assert hard(after, "gpu-small") != hard(before, "gpu-small")


def test_a_stage_that_no_pool_can_hold_is_refused_with_the_arithmetic(document: Any, tmp_path: Path) -> None:
    document["pools"]["gpu-small"]["allocatable"]["memory"] = "20Gi"
    with pytest.raises(InputError) as error:
        Table.read(written(document, tmp_path))
    expected = "stages.train-backbone.memory.limit: expected what a node of pool gpu-small has. Received: 24Gi > 20Gi."
    assert expected in str(error.value)


def test_a_shared_gpu_holds_no_stage_that_wants_two(document: Any, tmp_path: Path) -> None:
    """Time-sharing gives a pod one GPU at most, however many the node has."""
    pool = document["pools"]["gpu-small"]
    pool["accelerator"].update(count=2, shared_by=4)
    document["stages"]["train-backbone"]["accelerators"] = 2
    with pytest.raises(InputError, match=r"accelerators: expected what a node of pool gpu-small has. Received: 2 > 1."):
        Table.read(written(document, tmp_path))


@pytest.mark.parametrize(
    ("pool", "change", "message"),
    [
        ("gpu-small", {"nodes": {"min": 5, "max": 4}}, r"pools.gpu-small.nodes: expected min <= max. Received: 5 > 4."),
        ("gpu-large", {"fallback": True}, r"pools.gpu-large.fallback: expected false where spot is false."),
        ("gpu-small", {"accelerator": {"name": "nvidia-l4", "count": 1, "shared_by": 49}}, r"shared_by: expected .*49"),
    ],
)
def test_a_fault_is_named(pool: str, change: Any, message: str, document: Any, tmp_path: Path) -> None:
    document["pools"][pool].update(change)
    with pytest.raises(InputError, match=message):
        Table.read(written(document, tmp_path))


def test_accounts_are_those_of_the_stages() -> None:
    table = Table.read()
    *accounts, binding = manifests.accounts(table)
    assert [entry["metadata"]["name"] for entry in accounts] == [f"ferflow-{stage}" for stage in table.stages]
    assert [entry["name"] for entry in binding["subjects"]] == [f"ferflow-{stage}" for stage in table.stages]


def test_a_pushed_image_is_named_by_its_digest() -> None:
    digest = "sha256:" + "1" * 64
    found = manifests.image_names({"serve": f"host/team/ferflow-serve@{digest}"})["images"]
    assert {"name": "ferflow-serve", "newName": "host/team/ferflow-serve", "digest": digest} in found
    assert next(entry for entry in found if entry["name"] == "ferflow-resolve").keys() == {"name", "newTag"}

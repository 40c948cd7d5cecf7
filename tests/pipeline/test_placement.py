"""infra/pools.yaml is read strictly, and the compiled graphs have what it says."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.fer.errors import InputError
from pipeline import ir, placement
from pipeline.jobs import Job, jobs
from pipeline.placement import Table

GPU_COMPONENTS = {"train-backbone", "train-hybrid", "evaluate"}


@pytest.fixture(scope="session")
def table() -> Table:
    return Table.read()


@pytest.fixture(scope="session")
def text() -> str:
    return placement.POOLS.read_text()


@pytest.fixture(scope="session", params=jobs())
def tasks(request: pytest.FixtureRequest, table: Table) -> list[ir.Task]:
    """The tasks of each committed graph."""
    return list(ir.tasks(*ir.documents(jobs()[request.param].pipeline.read_text()), table.pools))


def test_trainings_and_evaluation_have_gpus(table: Table) -> None:
    assert {name for name, stage in table.stages.items() if stage.accelerators} == GPU_COMPONENTS


def test_each_task_is_on_its_pool(tasks: list[ir.Task], table: Table) -> None:
    """Selector and, on a tainted pool, toleration; no other task is let onto a tainted node."""
    for task in tasks:
        pool = table.pools[table.stages[task.component].pool]
        assert dict(task.kubernetes.node_selector.labels) == pool.selector
        tolerated = [(entry.key, entry.value, entry.effect) for entry in task.kubernetes.tolerations]
        assert tolerated == ([(pool.taint.key, pool.taint.value, pool.taint.effect)] if pool.taint else [])


def test_each_task_has_its_resources(tasks: list[ir.Task], table: Table) -> None:
    for task in tasks:
        stage, resources = table.stages[task.component], task.container.resources
        assert float(resources.resource_cpu_request) == stage.cpu.request
        assert float(resources.resource_cpu_limit) == stage.cpu.limit
        assert resources.resource_memory_request == stage.memory.request
        assert resources.resource_memory_limit == stage.memory.limit
        accelerator = resources.accelerator
        assert accelerator.resource_type == ("nvidia.com/gpu" if stage.accelerators else "")
        assert accelerator.resource_count == (str(stage.accelerators) if stage.accelerators else "")
        shm = [(mount.mount_path, mount.medium, mount.size_limit) for mount in task.kubernetes.empty_dir_mounts]
        assert shm == [("/dev/shm", "Memory", stage.shm)]


def test_no_task_runs_as_root(tasks: list[ir.Task]) -> None:
    assert all(task.kubernetes.security_context.run_as_non_root for task in tasks)


def test_the_last_retry_may_still_run_its_whole_time(tasks: list[ir.Task], table: Table) -> None:
    for task in tasks:
        stage, policy = table.stages[task.component], task.spec.retry_policy
        assert task.kubernetes.active_deadline_seconds == stage.timeout
        assert policy.max_retry_count == stage.retries
        waits = sum(policy.backoff_duration.seconds * policy.backoff_factor**retry for retry in range(stage.retries))
        assert policy.backoff_max_duration.seconds >= stage.timeout * (stage.retries + 1) + waits


@pytest.mark.parametrize("job", jobs().values(), ids=jobs())
def test_cost_can_be_summed_by_graph_component_and_pool(job: Job, table: Table) -> None:
    for task in ir.tasks(*ir.documents(job.pipeline.read_text()), table.pools):
        assert dict(task.kubernetes.pod_metadata.labels) == {
            "ferflow/graph": job.graph,
            "ferflow/component": task.component,
            "ferflow/pool": table.stages[task.component].pool,
        }


def changed(text: str, path: str, value: Any) -> Any:
    """The table with another value at a dotted path; None removes the key."""
    document = copy.deepcopy(yaml.safe_load(text))
    *above, key = path.split(".")
    entry = document
    for name in above:
        entry = entry[name]
    if value is None:
        del entry[key]
    else:
        entry[key] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("pools.system.spot", "no", "pools.system.spot: expected a valid boolean. Received: 'no'"),
        ("pools.system.zone", "a", "pools.system.zone: expected no such key. Received: 'a'"),
        ("pools.system.taint", None, "pools.system.taint: expected a value, found none."),
        ("stages.evaluate.timeout", 0, "stages.evaluate.timeout: expected greater than 0. Received: 0"),
        ("stages.evaluate.cpu.limit", "7", "stages.evaluate.cpu.limit: expected a valid number. Received: '7'"),
        ("stages.evaluate.shm", "1 GB", "stages.evaluate.shm: expected .* Received: '1 GB'"),
        ("pools.gpu-small.taint.effect", "Never", r"pools.gpu-small.taint.effect: expected 'NoSchedule'.* 'Never'"),
        ("pools.system.selector", {"a b": "c"}, r"pools.system.selector.a b: expected .*Received: 'a b'"),
        (
            "pools.system.selector",
            {"ferflow/pool": "gpu-small"},
            "pools.system.selector: expected its own. system and gpu-small share one.",
        ),
        (
            "stages.evaluate.pool",
            "gpu",
            "stages.evaluate.pool: expected one of system, gpu-small, gpu-large. Received: gpu.",
        ),
        ("stages.score", {}, "stages.score.pool: expected a value, found none."),
        (
            "stages.evaluate",
            None,
            "stages: expected evaluate, .* Received: preprocess, push-model, resolve, tfx-check, train-backbone",
        ),
        ("stages.evaluate.cpu.request", 7.5, "stages.evaluate.cpu: expected request <= limit. Received: 7.5 > 7."),
        (
            "stages.evaluate.cpu.limit",
            8,
            "stages.evaluate.cpu.limit: expected what a node of pool gpu-small has. Received: 8 > 7.5.",
        ),
        (
            "stages.evaluate.memory.limit",
            "28Gi",
            "stages.evaluate.memory.limit: expected what a node of pool gpu-small has. Received: 28Gi > 27Gi.",
        ),
        ("stages.evaluate.accelerators", 2, "expected what a node of pool gpu-small has. Received: 2 > 1."),
        ("stages.evaluate.accelerators", 0, "expected a pool without GPUs for 0 accelerators. Received: gpu-small."),
        ("stages.evaluate.shm", "32Gi", "expected a part of the memory limit. Received: 32Gi > 16Gi."),
    ],
)
def test_a_fault_is_named(path: str, value: Any, message: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "pools.yaml"
    file.write_text(yaml.safe_dump(changed(text, path, value), sort_keys=False))
    with pytest.raises(InputError, match=message) as error:
        Table.read(file)
    assert str(error.value).startswith(f"node pools {file}: {path.partition('.')[0]}")


def test_gpus_without_a_taint_are_refused(text: str, tmp_path: Path) -> None:
    document = yaml.safe_load(text)
    document["pools"]["gpu-large"]["taint"] = None
    file = tmp_path / "pools.yaml"
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(InputError, match=r"pools.gpu-large.taint: expected one on a pool with GPUs"):
        Table.read(file)


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a file, found none"):
        Table.read(tmp_path / "pools.yaml")
    (tmp_path / "pools.yaml").write_text("pools: [")
    with pytest.raises(InputError, match="expected YAML"):
        Table.read(tmp_path / "pools.yaml")
    (tmp_path / "pools.yaml").write_text("pools")
    with pytest.raises(InputError, match="the file: expected"):
        Table.read(tmp_path / "pools.yaml")


@pytest.mark.parametrize(
    ("text", "number"), [("500m", 0.5), ("2", 2), ("1.5", 1.5), ("4Gi", 4 * 2**30), ("2G", 2e9), ("512k", 512_000)]
)
def test_quantities(text: str, number: float) -> None:
    assert placement.quantity(text) == number


@pytest.mark.parametrize("text", ["", "Gi", "4 Gi", "4gb", "-1", "{{$.inputs.parameters['cpu']}}"])
def test_no_quantities(text: str) -> None:
    with pytest.raises(ValueError, match="expected a Kubernetes quantity"):
        placement.quantity(text)

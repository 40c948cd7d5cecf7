"""infra/pools.yaml: the node pools of the cluster, which stage goes where, and how a task of a graph is put there.

Selector and toleration are both set: the toleration lets a pod onto a tainted node, the selector keeps it off others.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from kfp import kubernetes
from kfp.dsl.structures import ResourceSpec
from pydantic import Field

from components.fer.errors import InputError
from pipeline import strict_yaml
from pipeline.parameters import STAGES
from pipeline.strict_yaml import Entry

POOLS = Path(__file__).resolve().parents[1] / "infra" / "pools.yaml"

ACCELERATOR = "nvidia.com/gpu"
"""The Kubernetes resource that a pod asks for; which GPU it is, is the pool's matter."""

NODE_START = 900
"""seconds that a pool may take to bring up a node, image included: they count towards the window of the retries"""

BACKOFF = 60
"""seconds before the first retry; each further wait is twice as long"""

LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""A label's value, and its key behind the slash."""
LABEL_KEY = re.compile(rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{LABEL_NAME.pattern}")
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

UNITS = {"": 1.0, "m": 1e-3, "k": 1e3, **{unit: 1e3**power for power, unit in enumerate("KMGTPE", 1)}}
UNITS |= {f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)}

Cores = Annotated[float, Field(ge=0.01, le=1000)]
Memory = Annotated[str, Field(pattern=r"^[1-9][0-9]*[KMG]i$")]
"""bytes with a binary unit, such as 4Gi"""
LabelName = Annotated[str, Field(pattern=rf"^{LABEL_NAME.pattern}$")]
Key = Annotated[str, Field(pattern=rf"^{LABEL_KEY.pattern}$")]
Name = Annotated[str, Field(pattern=rf"^{DNS_LABEL.pattern}$")]


class Accelerator(Entry):
    """The GPUs of a node."""

    name: LabelName
    count: Annotated[int, Field(gt=0)]
    shared_by: Annotated[int, Field(ge=1, le=48)]
    """pods that may share a GPU; above 1 by time-sharing, which takes 48 at most and gives a pod one"""


class Taint(Entry):
    """What keeps other pods off a node."""

    key: Key
    value: LabelName
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class Allocatable(Entry):
    """What a node has for pods."""

    cpu: Cores
    memory: Memory


class Nodes(Entry):
    """Between how many nodes the autoscaler chooses, all zones together."""

    min: Annotated[int, Field(ge=0)]
    max: Annotated[int, Field(ge=1)]


class Pool(Entry):
    """Nodes of one kind."""

    machine_type: str
    spot: bool
    fallback: bool
    """whether nodes on demand stand in where there are none on spot"""
    nodes: Nodes
    accelerator: Accelerator | None
    allocatable: Allocatable
    selector: Annotated[dict[Key, LabelName], Field(min_length=1)]
    taint: Taint | None

    @property
    def accelerators(self) -> int:
        """GPUs of a node that one pod may have."""
        if not self.accelerator:
            return 0
        return 1 if self.accelerator.shared_by > 1 else self.accelerator.count


class Cpu(Entry):
    """Cores."""

    request: Cores
    limit: Cores


class MemoryRange(Entry):
    """Main memory."""

    request: Memory
    limit: Memory


class Stage(Entry):
    """Where a component runs, and what it gets."""

    pool: str
    accelerators: Annotated[int, Field(ge=0)]
    cpu: Cpu
    memory: MemoryRange
    shm: Memory
    timeout: Annotated[int, Field(gt=0)]
    retries: Annotated[int, Field(ge=0, le=10)]

    @property
    def retry_window(self) -> int:
        """Seconds from the start of the first attempt within which the last may still start and end.

        Kubeflow's default, an hour, would leave a longer training without any retry.
        """
        waits = BACKOFF * ((1 << self.retries) - 1)
        return (NODE_START + self.timeout) * (self.retries + 1) + waits


class Table(Entry):
    """All of infra/pools.yaml."""

    pools: dict[Name, Pool]
    stages: dict[str, Stage]

    @classmethod
    def read(cls, path: Path = POOLS) -> Self:
        """Read and check the table. Raises `InputError` where it is malformed or a pool cannot hold a stage."""
        table = strict_yaml.read(cls, path, "node pools")
        for problem in table.problems():
            raise InputError(f"node pools {path}: {problem}")
        return table

    def problems(self) -> Iterable[str]:
        """What the entries get wrong together, though each is well-formed."""
        components = {component(stage.__module__.removesuffix(".config")) for stage in STAGES}
        if self.stages.keys() != components:
            yield f"stages: expected {', '.join(sorted(components))}. Received: {', '.join(sorted(self.stages))}."
        for name, pool in self.pools.items():
            if pool.accelerator and not pool.taint:
                yield f"pools.{name}.taint: expected one on a pool with GPUs, to keep other pods off. Received: null."
            if pool.nodes.min > pool.nodes.max:
                yield f"pools.{name}.nodes: expected min <= max. Received: {pool.nodes.min} > {pool.nodes.max}."
            if pool.fallback and not pool.spot:
                yield f"pools.{name}.fallback: expected false where spot is false. Received: true."
            same = [other for other, entry in self.pools.items() if entry.selector == pool.selector]
            if same != [name]:
                yield f"pools.{name}.selector: expected its own. {' and '.join(same)} share one."
        for name, stage in self.stages.items():
            if stage.pool not in self.pools:
                yield f"stages.{name}.pool: expected one of {', '.join(self.pools)}. Received: {stage.pool}."
            else:
                yield from _misfits(name, stage, self.pools[stage.pool])


def component(module: str) -> str:
    """The component that `python -m module` runs: components.train_backbone is train-backbone."""
    return module.rpartition(".")[2].replace("_", "-")


def quantity(text: str) -> float:
    """A Kubernetes quantity (500m, 2, 4Gi) as a number. Raises `ValueError` where it is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]*)", text)
    if not found or found[2] not in UNITS:
        raise ValueError(f"expected a Kubernetes quantity such as 500m, 2 or 4Gi, received {text!r}")
    return float(found[1]) * UNITS[found[2]]


def place(tasks: Iterable[Any], table: Table, graph: str) -> None:
    """Place the tasks of a graph as the table says: resources, pool, /dev/shm, timeout, retries, labels; no root."""
    for task in tasks:
        name = component(task.container_spec.command[-1])
        stage = table.stages[name]
        pool = table.pools[stage.pool]
        # In one: each of KFP's six setters inspects the whole call stack, which took most of a compilation.
        task.container_spec.resources = ResourceSpec(
            cpu_request=f"{stage.cpu.request:g}",
            cpu_limit=f"{stage.cpu.limit:g}",
            memory_request=stage.memory.request,
            memory_limit=stage.memory.limit,
            accelerator_type=ACCELERATOR if stage.accelerators else None,
            accelerator_count=str(stage.accelerators) if stage.accelerators else None,
        )
        for key, value in pool.selector.items():
            kubernetes.add_node_selector(task, key, value)
        if pool.taint:
            taint = pool.taint
            kubernetes.add_toleration(task, key=taint.key, operator="Equal", value=taint.value, effect=taint.effect)
        # A container's own /dev/shm has 64 MB, which loaders with worker processes outgrow.
        kubernetes.empty_dir_mount(task, "shm", "/dev/shm", medium="Memory", size_limit=stage.shm)  # noqa: S108
        # The last thing that Pod Security's "restricted" asks for; Kubeflow sets the rest of it in each pod.
        kubernetes.set_security_context(task, run_as_non_root=True)
        kubernetes.set_timeout(task, stage.timeout)
        if stage.retries:
            task.set_retry(stage.retries, f"{BACKOFF}s", 2.0, f"{stage.retry_window}s")
        # Kubeflow adds the run's id itself.
        for key, value in {"component": name, "graph": graph, "pool": stage.pool}.items():
            kubernetes.add_pod_label(task, f"ferflow/{key}", value)


def _misfits(name: str, stage: Stage, pool: Pool) -> Iterable[str]:
    """Where a stage asks for more than it may have itself, or than a node of its pool has."""
    cpu, memory = stage.cpu, stage.memory
    for key, low, high in (
        ("cpu", f"{cpu.request:g}", f"{cpu.limit:g}"),
        ("memory", memory.request, memory.limit),
    ):
        if quantity(low) > quantity(high):
            yield f"stages.{name}.{key}: expected request <= limit. Received: {low} > {high}."
    if quantity(stage.shm) > quantity(memory.limit):
        yield f"stages.{name}.shm: expected a part of the memory limit. Received: {stage.shm} > {memory.limit}."
    for key, wanted, held in (
        ("cpu.limit", f"{cpu.limit:g}", f"{pool.allocatable.cpu:g}"),
        ("memory.limit", memory.limit, pool.allocatable.memory),
        ("accelerators", str(stage.accelerators), str(pool.accelerators)),
    ):
        if quantity(wanted) > quantity(held):
            yield f"stages.{name}.{key}: expected what a node of pool {stage.pool} has. Received: {wanted} > {held}."
    if pool.accelerators and not stage.accelerators:
        yield f"stages.{name}.pool: expected a pool without GPUs for 0 accelerators. Received: {stage.pool}."

"""What a request sends to a cluster: its compiled graph, checked, and where what it makes comes from."""

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from components.fer.errors import InputError
from components.model_store.provenance import Provenance
from pipeline import images, ir, kubeflow, lint, placement, repository
from pipeline.cluster.request import Request
from pipeline.ir import Document, Task
from pipeline.parameters import Parameters

PROVENANCE = "registry__provenance"
"""the parameter that tells push-model where a candidate comes from"""

SCHEDULE = "schedule__"


@dataclass(frozen=True)
class Package:
    """A compiled graph, and the values that a run of it is started with."""

    text: str
    """the file that is uploaded"""
    values: Parameters
    pipeline: Document
    tasks: Sequence[Task]

    @property
    def name(self) -> str:
        """Kubeflow's name of the pipeline."""
        name: str = self.pipeline["pipelineInfo"]["name"]
        return name

    @property
    def version(self) -> str:
        """Name of the pipeline's version, by the content of the file: the same is never uploaded twice."""
        return f"{self.name}-{hashlib.sha256(self.text.encode()).hexdigest()[:12]}"


def package(request: Request, schedule: Parameters | None = None) -> Package:
    """Compile the request's graph and check it with its values; with `schedule`, the graph that looks first.

    Raises `InputError` where an image has no digest, and where lint finds an error.
    """
    more = schedule or {}
    pipeline, platform = kubeflow.compiled(request.job.graph, {**request.own, **more}, scheduled=schedule is not None)
    inputs = pipeline["root"]["inputDefinitions"]["parameters"]
    values = {name: value for name, value in {**request.values, **more}.items() if name in inputs}
    table = placement.Table.read()
    tasks = list(ir.tasks(pipeline, platform, table.pools))
    without = sorted({task.component for task in tasks if "@sha256:" not in task.container.image})
    if without:
        raise InputError(
            f"images: expected the digest of each component's image. Missing: {', '.join(without)}.",
            f"{images.making(without, ' --push REGISTRY')}, which writes infra/images.lock.json",
        )
    checked = copy.deepcopy(pipeline)
    for name, value in values.items():
        checked["root"]["inputDefinitions"]["parameters"][name]["defaultValue"] = value
    errors = [finding for finding in lint.findings(checked, platform, table) if finding.severity == "error"]
    if errors:
        first = errors[0]
        raise InputError(
            f"graph {request.job.graph}: lint finds {len(errors)} errors, first {first.rule}: {first.where}: "
            f"expected {first.expected}, received {first.received}",
            f"{first.mend} (all of them: ferflow lint)",
        )
    return Package(kubeflow.text(pipeline, platform), values, pipeline, tasks)


def provenance(package: Package, run: str | None) -> str:
    """Where a candidate of a run comes from, as JSON for its lineage; `run` is none on a schedule, which has many."""
    found = Provenance(
        commit=repository.commit(),
        dirty=repository.dirty(),
        images={task.component: task.container.image for task in package.tasks},
        parameters={name: value for name, value in package.values.items() if name != PROVENANCE},
        run=run,
    )
    return found.model_dump_json()

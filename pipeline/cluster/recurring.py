"""Kubeflow's recurring runs, read as schedules and written."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from kfp_server_api import (
    RecurringRunMode,
    V2beta1CronSchedule,
    V2beta1PipelineVersionReference,
    V2beta1RecurringRun,
    V2beta1RuntimeConfig,
    V2beta1Trigger,
)

from components.fer.errors import InputError
from pipeline.cluster.connection import Cluster, named
from pipeline.cluster.package import PROVENANCE, Package, provenance
from pipeline.cluster.reconcile import Content, Schedule, Step
from pipeline.cluster.upload import Version
from pipeline.parameters import dotted

PAUSED = "Applied paused."
"""ends the description of a schedule whose `apply` did not mean it to be active"""


def wanted(cron: str, package: Package, cluster: Cluster) -> Content:
    """What a schedule of the package shall do."""
    settings = cluster.settings
    return {
        "cron": cron,
        "version": package.version,
        "catch-up": False,
        "runs at once": 1,
        "pipeline root": settings.pipeline_root or None,
        "service account": settings.service_account or None,
        **{dotted(name): value for name, value in package.values.items() if name != PROVENANCE},
    }


def schedules(cluster: Cluster, name: str) -> list[Schedule]:
    """Those of this name; more than one where an `apply` died, or somebody made one by hand."""
    return [_schedule(cluster, entry) for entry in entries(cluster, filter=named(name))]


def entries(cluster: Cluster, **options: Any) -> Iterator[Any]:
    """The server's V2beta1RecurringRuns."""
    request = cluster.schedules.recurring_run_service_list_recurring_runs
    return cluster.pages("list schedules", request, "recurring_runs", namespace=cluster.namespace, **options)


def active(entry: Any) -> bool:
    """Whether a recurring run is enabled."""
    return bool(entry.status == "ENABLED")


def version_name(cluster: Cluster, entry: Any) -> str:
    """Name of the pipeline's version that a recurring run is pinned to."""
    pinned = entry.pipeline_version_reference
    if pinned is None:
        return "none"
    get = cluster.pipelines.pipeline_service_get_pipeline_version
    try:
        version = cluster.ask("get a version", lambda: get(pinned.pipeline_id, pinned.pipeline_version_id))
    except InputError:
        return f"{pinned.pipeline_version_id}, which is gone"
    return str(version.display_name)


def create(cluster: Cluster, wanted: V2beta1RecurringRun) -> str:
    """Make the recurring run, once, and say so. Raises `FerflowError`."""
    mine = partial(entries, cluster, filter=named(wanted.display_name))
    before = {entry.recurring_run_id for entry in mine()}
    made = cluster.ask(
        f"make schedule {wanted.display_name}",
        lambda: cluster.schedules.recurring_run_service_create_recurring_run(wanted),
        there=lambda: next((entry for entry in mine() if entry.recurring_run_id not in before), None),
    )
    return f"made {made.recurring_run_id}{'' if wanted.mode == RecurringRunMode.ENABLE else ', paused'}"


def take(cluster: Cluster, step: Step) -> str:
    """Do a step that is for one that is there, and say what was done. Raises `FerflowError`."""
    assert step.schedule is not None, "create has no schedule yet"
    api, id_ = cluster.schedules, step.schedule.id
    match step.verb:
        case "enable":
            cluster.ask(f"resume schedule {id_}", lambda: api.recurring_run_service_enable_recurring_run(id_))
            return f"resumed {id_}"
        case "disable":
            cluster.ask(f"pause schedule {id_}", lambda: api.recurring_run_service_disable_recurring_run(id_))
            return f"paused {id_}"
    cluster.ask(
        f"delete schedule {id_}",
        lambda: api.recurring_run_service_delete_recurring_run(id_),
        there=lambda: None if id_ in {entry.recurring_run_id for entry in entries(cluster)} else {},
    )
    return f"deleted {id_}"


def body(
    name: str, cron: str, package: Package, version: Version, experiment: str, cluster: Cluster, step: Step
) -> V2beta1RecurringRun:
    """The recurring run to make: no catching up with missed times, one run at once, the version pinned."""
    settings, values = cluster.settings, dict(package.values)
    if PROVENANCE in values:
        values[PROVENANCE] = provenance(package, None)
    return V2beta1RecurringRun(
        display_name=name,
        description=f"By ferflow schedule apply. {'Applied active.' if step.meant_active else PAUSED}",
        namespace=cluster.namespace,
        experiment_id=experiment,
        pipeline_version_reference=V2beta1PipelineVersionReference(
            pipeline_id=version.pipeline_id, pipeline_version_id=version.id
        ),
        runtime_config=V2beta1RuntimeConfig(parameters=values, pipeline_root=settings.pipeline_root or None),
        service_account=settings.service_account or None,
        trigger=V2beta1Trigger(cron_schedule=V2beta1CronSchedule(cron=cron)),
        mode=RecurringRunMode.ENABLE if step.active else RecurringRunMode.DISABLE,
        max_concurrency="1",
        no_catchup=True,
    )


def _schedule(cluster: Cluster, entry: Any) -> Schedule:
    runtime, cron = entry.runtime_config, entry.trigger.cron_schedule if entry.trigger else None
    values = (runtime.parameters if runtime else None) or {}
    content = {
        "cron": cron.cron if cron else None,
        "version": version_name(cluster, entry),
        "catch-up": not entry.no_catchup,
        "runs at once": int(entry.max_concurrency or 0),
        "pipeline root": runtime.pipeline_root if runtime else None,
        "service account": entry.service_account,
        **{dotted(name): value for name, value in values.items() if name != PROVENANCE},
    }
    meant_active = not (entry.description or "").endswith(PAUSED)
    return Schedule(entry.recurring_run_id, content, active(entry), meant_active, entry.created_at)

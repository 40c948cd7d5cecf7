"""A request, checked, sent to the cluster and started as a run."""

import secrets
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from kfp_server_api import V2beta1PipelineVersionReference, V2beta1Run, V2beta1RuntimeConfig

from pipeline.cluster import plan
from pipeline.cluster.cached import probably_cached
from pipeline.cluster.connection import PAGE, Cluster, check_version, connect, named
from pipeline.cluster.package import PROVENANCE, Package, package, provenance
from pipeline.cluster.remote import check
from pipeline.cluster.request import Request
from pipeline.cluster.run_state import SUCCEEDED, task_names
from pipeline.cluster.settings import Settings
from pipeline.cluster.upload import Version, experiment, find, upload
from pipeline.cluster.watch import address, follow
from pipeline.jobs import title


def send(request: Request, settings: Settings, md5: str, stored: Callable[[], int], *, wait: bool) -> None:
    """Check the rest, say what will be run, run it, and with `wait` watch it to its end.

    `md5` is the data's, and `stored` gives its size on the remote. Raises `InputError` before anything is sent.
    """
    ready = package(request)
    cluster = connect(settings)
    warnings = (check_version(cluster), plan.faces_leave(settings, request))
    check(md5, request.url, stored())
    there = find(cluster, ready)
    cached = probably_cached(ready.pipeline, ready.values, _succeeded(cluster, there)) if there else {}
    # The name is the run's own, so that one whose answer got lost is found by it, and not started twice.
    name = f"{request.name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
    _say(plan.described(settings, request, ready, name, md5, new=there is None, cached=cached))
    for warning in filter(None, warnings):
        _say(f"{warning}\n")
    version = there or upload(cluster, ready)
    run_id = _start(cluster, ready, version, experiment(cluster, title(request.name)), name)
    _say(address(cluster, run_id))
    if wait:
        follow(cluster, run_id, task_names(ready.pipeline))
    else:
        _say(f"Watch it: ferflow watch {run_id}")


def _start(cluster: Cluster, package: Package, version: Version, experiment_id: str, name: str) -> str:
    """Start a run of the version, once, and give its id."""
    values = dict(package.values)
    if PROVENANCE in values:
        values[PROVENANCE] = provenance(package, name)
    # Whether a task is cached is the graph's to say: enable_caching here would overrule it for every task.
    run = V2beta1Run(
        display_name=name,
        experiment_id=experiment_id,
        pipeline_version_reference=V2beta1PipelineVersionReference(
            pipeline_id=version.pipeline_id, pipeline_version_id=version.id
        ),
        runtime_config=V2beta1RuntimeConfig(parameters=values, pipeline_root=cluster.settings.pipeline_root or None),
        service_account=cluster.settings.service_account or None,
    )
    return cluster.ask(
        f"start run {name}",
        lambda: str(cluster.runs.run_service_create_run(run).run_id),
        there=lambda: next((str(found.run_id) for found in _runs(cluster, filter=named(name))), None),
    )


def _succeeded(cluster: Cluster, version: Version) -> list[Any]:
    """Those of the newest runs that are of this version and succeeded."""
    return [
        run
        for run in _runs(cluster, sort_by="created_at desc")
        if run.state == SUCCEEDED
        and run.pipeline_version_reference
        and run.pipeline_version_reference.pipeline_version_id == version.id
    ]


def _runs(cluster: Cluster, **options: Any) -> list[Any]:
    """The newest runs that the options name; one page of them is enough."""
    request = partial(cluster.runs.run_service_list_runs, namespace=cluster.namespace, page_size=PAGE, **options)
    return cluster.ask("list runs", request).runs or []


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

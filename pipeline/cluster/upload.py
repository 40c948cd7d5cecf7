"""Pipelines, their versions and experiments on the server: each found by its name, or made."""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kfp_server_api import V2beta1Experiment, V2beta1Pipeline

from pipeline.cluster.connection import Cluster, named
from pipeline.cluster.package import Package


@dataclass(frozen=True)
class Version:
    """A pipeline's version on the server."""

    pipeline_id: str
    id: str


def find(cluster: Cluster, package: Package) -> Version | None:
    """The package's version, none where it is yet to be uploaded."""
    pipeline_id = _pipeline(cluster, package.name)
    version_id = _version(cluster, pipeline_id, package.version) if pipeline_id else None
    return Version(pipeline_id, version_id) if pipeline_id and version_id else None


def upload(cluster: Cluster, package: Package) -> Version:
    """The package's version, uploaded where it is not there. Raises `InputError`, `TemporaryError`."""
    pipeline_id = _pipeline(cluster, package.name) or _make_pipeline(cluster, package.name)
    version_id = _version(cluster, pipeline_id, package.version) or _make_version(cluster, pipeline_id, package)
    return Version(pipeline_id, version_id)


def experiment(cluster: Cluster, name: str) -> str:
    """Id of the experiment of this name, made where it is not there."""
    found = _experiment(cluster, name)
    if found is None:
        made = V2beta1Experiment(display_name=name, namespace=cluster.namespace)
        found = cluster.ask(
            f"make experiment {name}",
            lambda: str(cluster.experiments.experiment_service_create_experiment(made).experiment_id),
            there=partial(_experiment, cluster, name),
        )
    return found


def _make_pipeline(cluster: Cluster, name: str) -> str:
    made = V2beta1Pipeline(name=name, display_name=name, namespace=cluster.namespace)
    return cluster.ask(
        f"make pipeline {name}",
        lambda: str(cluster.pipelines.pipeline_service_create_pipeline(made).pipeline_id),
        there=partial(_pipeline, cluster, name),
    )


def _make_version(cluster: Cluster, pipeline_id: str, package: Package) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.yaml"
        file.write_text(package.text)
        send = partial(
            cluster.uploads.upload_pipeline_version,
            str(file),
            name=package.version,
            display_name=package.version,
            pipelineid=pipeline_id,
        )
        return cluster.ask(
            f"upload {package.version}",
            lambda: str(send().pipeline_version_id),
            there=partial(_version, cluster, pipeline_id, package.version),
        )


def _pipeline(cluster: Cluster, name: str) -> str | None:
    options = {"filter": named(name), "namespace": cluster.namespace}
    found = cluster.pages(
        f"look for pipeline {name}", cluster.pipelines.pipeline_service_list_pipelines, "pipelines", **options
    )
    return next((str(entry.pipeline_id) for entry in found), None)


def _version(cluster: Cluster, pipeline_id: str, name: str) -> str | None:
    request = partial(cluster.pipelines.pipeline_service_list_pipeline_versions, pipeline_id)
    found = cluster.pages(f"look for version {name}", request, "pipeline_versions", filter=named(name))
    return next((str(entry.pipeline_version_id) for entry in found), None)


def _experiment(cluster: Cluster, name: str) -> str | None:
    options = {"filter": named(name), "namespace": cluster.namespace}
    found = cluster.pages(
        f"look for experiment {name}", cluster.experiments.experiment_service_list_experiments, "experiments", **options
    )
    return next((str(entry.experiment_id) for entry in found), None)

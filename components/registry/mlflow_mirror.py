"""The mirror in MLflow.

One experiment and one registered model per name, one run (metrics) and one model version (tags, source) per stored
version, the aliases `champion` and `previous`.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.registry.entries import Aliases, Entry, Shown, settable

log = logging.getLogger("ferflow")

SCHEMES = ("sqlite", "http", "https", "postgresql", "mysql")
SQLITE = "sqlite:///"
STORE_VERSION = "store_version"
"""tag of runs and model versions that joins them with the store"""


def mirror(address: str, name: str, entries: Sequence[Entry], aliases: Aliases) -> Aliases:
    """Make MLflow at `address` say about model `name` what the store says. Raises what MLflow raises.

    Gives the aliases that it could set.
    """
    client = _client(address)
    registered = _registered(client, name)
    missing = [entry for entry in entries if entry.version not in registered]
    if missing:
        _register_model(client, name)
        experiment = _experiment(client, address, name, missing[0].uri.rsplit("/", 2)[0])
    for entry in missing:
        registered[entry.version] = client.create_model_version(
            name,
            _source(address, name, entry),
            run_id=_run(client, experiment, entry),
            tags={STORE_VERSION: entry.version, **entry.tags},
        )
    for entry in entries:
        found = registered[entry.version]
        for key, value in entry.tags.items():
            if found.tags.get(key) != value:
                client.set_model_version_tag(name, found.version, key, value)
    named = settable(aliases, registered)
    if registered:
        _set_aliases(client, name, {key: registered[v].version if v else None for key, v in named.items()})
    return named


def shown(address: str, name: str) -> Shown:
    """Read what MLflow says about model `name`. Raises what MLflow raises."""
    if is_absent(address):
        return Shown({}, {})  # MLflow would make the file
    client = _client(address)
    registered = _registered(client, name)
    if not registered:
        return Shown({}, {})
    names = {str(found.version): version for version, found in registered.items()}
    aliases = {key: names.get(str(v)) for key, v in client.get_registered_model(name).aliases.items()}
    return Shown({key: (v.tags, client.get_run(v.run_id).data.metrics) for key, v in registered.items()}, aliases)


def is_absent(address: str) -> bool:
    """Whether the address is of a sqlite file that is not there."""
    return address.startswith(SQLITE) and not Path(address.removeprefix(SQLITE)).exists()


def _registered(client: Any, name: str) -> dict[str, Any]:
    """MLflow's versions of a model, by stored version."""
    found = client.search_model_versions(f"name = '{name}'")
    return {version.tags[STORE_VERSION]: version for version in found if STORE_VERSION in version.tags}


def _client(address: str) -> Any:
    """Make an MLflow client that sends no telemetry, keeps quiet, and gives up on a dead server within seconds."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # it is read when mlflow is imported
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    import mlflow

    # Whatever goes wrong is raised too, and reported once; without this it would be logged before, with tracebacks.
    logging.getLogger("mlflow").setLevel(logging.CRITICAL)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    if is_absent(address):
        log.info("setting up %s", Path(address.removeprefix(SQLITE)).name)
    return mlflow.MlflowClient(address, address)


def _register_model(client: Any, name: str) -> None:
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)


def _experiment(client: Any, address: str, name: str, place: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        # Nothing is written there; without it a sqlite registry would name ./mlruns, a server knows its own place.
        location = place if address.startswith("sqlite:") else None
        return str(client.create_experiment(name, artifact_location=location))
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _run(client: Any, experiment: str, entry: Entry) -> str:
    """Find or make the run that carries the metrics of `entry`; complete one that a killed push left. Gives its id."""
    from mlflow.entities import Metric

    found = client.search_runs([experiment], f"tags.{STORE_VERSION} = '{entry.version}'", max_results=1)
    when = int(entry.when.timestamp() * 1000)
    tags = {STORE_VERSION: entry.version, **entry.tags}
    run = found[0] if found else client.create_run(experiment, when, tags, run_name=entry.version)
    if run.info.status != "FINISHED":
        client.log_batch(run.info.run_id, [Metric(key, value, when, 0) for key, value in entry.metrics.items()])
        client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def _source(address: str, name: str, entry: Entry) -> str:
    """Where the files are; a server takes no path of the client's machine, so it is told the store's own name."""
    is_hidden = address.startswith("http") and entry.uri.startswith("file:")
    return f"ferflow-store://{name}/{entry.version}" if is_hidden else entry.uri


def _set_aliases(client: Any, name: str, wanted: Mapping[str, str | None]) -> None:
    present = client.get_registered_model(name).aliases
    for alias, version in wanted.items():
        if version is None and alias in present:
            client.delete_registered_model_alias(name, alias)
        elif version is not None and str(present.get(alias)) != str(version):
            client.set_registered_model_alias(name, alias, version)

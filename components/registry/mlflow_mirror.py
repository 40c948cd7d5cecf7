"""The mirror in MLflow.

One experiment and one registered model per name, one run (metrics) and one model version (tags, source) per stored
version, the aliases `champion` and `previous`.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.registry.entries import Aliases, Entry, Said, Shown, settable

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
    runs = {entry.version: _run(client, registered.get(entry.version), entry.version) for entry in entries}
    missing = [entry for entry in entries if runs[entry.version] is None]
    if missing:
        _register_model(client, name)
        experiment = _experiment(client, address, name, missing[0].uri.rsplit("/", 2)[0])
        runs |= {entry.version: _begun(client, experiment, entry) for entry in missing}
    for entry in entries:
        run, found = runs[entry.version], registered.get(entry.version)
        _complete(client, run, entry)
        registered[entry.version] = _version(client, name, entry, _source(address, name, entry), run.info.run_id, found)
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
    said = {version: _said(client, found, version) for version, found in registered.items()}
    return Shown(said, aliases, lambda entry: _source(address, name, entry))


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


def _run(client: Any, found: Any, version: str) -> Any:
    """The run that MLflow's version names, as it is now; none where it was deleted, or is not of this `version`."""
    from mlflow import MlflowException

    if found is None or not found.run_id:
        return None
    try:
        run = client.get_run(found.run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    is_whole = run.info.lifecycle_stage == "active" and run.data.tags.get(STORE_VERSION) == version
    return run if is_whole else None


def _begun(client: Any, experiment: str, entry: Entry) -> Any:
    """Find the run of `entry`, as a killed push may have left it, or begin one."""
    found = client.search_runs([experiment], f"tags.{STORE_VERSION} = '{entry.version}'", max_results=1)
    tags = {STORE_VERSION: entry.version, **entry.tags}
    return found[0] if found else client.create_run(experiment, _when(entry), tags, run_name=entry.version)


def _complete(client: Any, run: Any, entry: Entry) -> None:
    """Log what a run does not say as it shall: all of a new one, what somebody changed of another."""
    from mlflow.entities import Metric, RunTag

    number, data = run.info.run_id, run.data
    metrics = [
        Metric(key, value, *_following(client, number, key) if key in data.metrics else (_when(entry), 0))
        for key, value in entry.metrics.items()
        if data.metrics.get(key) != value
    ]
    tags = [RunTag(key, value) for key, value in entry.tags.items() if data.tags.get(key) != value]
    if metrics or tags:
        client.log_batch(number, metrics, tags=tags)
    if run.info.status != "FINISHED":
        client.set_terminated(number)


def _following(client: Any, run: str, key: str) -> tuple[int, int]:
    """A time (ms) and step behind those of a metric now: MLflow shows the last value, by step and then by time."""
    step, when = max((metric.step, metric.timestamp) for metric in client.get_metric_history(run, key))
    return when + 1, step


def _when(entry: Entry) -> int:
    """When a version was stored, in milliseconds."""
    return int(entry.when.timestamp() * 1000)


def _version(client: Any, name: str, entry: Entry, source: str, run: str, found: Any) -> Any:
    """Find or make MLflow's version of `entry`, and set its tags."""
    tags = {STORE_VERSION: entry.version, **entry.tags}
    if found is None:
        return client.create_model_version(name, source, run_id=run, tags=tags)
    if (found.source, found.run_id) != (source, run):
        return _made_again(client, name, source, run, found, tags)
    for key, value in entry.tags.items():
        if found.tags.get(key) != value:
            client.set_model_version_tag(name, found.version, key, value)
    return found


def _made_again(client: Any, name: str, source: str, run: str, found: Any, tags: Mapping[str, str]) -> Any:
    """Make a version again, for source and run of one cannot be changed; what others said of it goes over to it."""
    aliases = client.get_registered_model(name).aliases
    client.delete_model_version(name, found.version)
    made = client.create_model_version(
        name, source, run_id=run, tags={**found.tags, **tags}, description=found.description
    )
    for alias, number in aliases.items():
        if str(number) == str(found.version):
            client.set_registered_model_alias(name, alias, made.version)
    return made


def _said(client: Any, found: Any, version: str) -> Said:
    run = _run(client, found, version)
    if run is None:
        return Said({"tag": found.tags}, {}, found.source, has_run=False)
    return Said({"tag": found.tags, "tag of the run": run.data.tags}, run.data.metrics, found.source)


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

"""The mirror of the model store in MLflow, which is what people look at.

The store decides; the registry follows. Everything is found or completed, so that the mirror is right after any push
that ran to its end, however earlier ones ended: one experiment and one registered model per name, one run (metrics) and
one model version (tags, source) per stored version, the aliases `champion` and `previous`. Files stay in the store.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from components.fer.errors import FerflowError, InputError, TemporaryError

log = logging.getLogger("ferflow")

SCHEMES = ("sqlite", "http", "https", "postgresql", "mysql")
STORE_VERSION = "store_version"
"""tag of runs and model versions that joins them with the store"""


@dataclass(frozen=True)
class Entry:
    """What the registry says about one stored version."""

    version: str
    """in the store"""
    address: str
    """where the store keeps it: a folder, or gs://BUCKET/..."""
    when: datetime
    tags: Mapping[str, str]
    metrics: Mapping[str, float]


def check(address: str) -> None:
    """Raise `InputError` where `address` cannot be an MLflow address; nothing is opened."""
    scheme = address.partition("://")[0].split("+")[0]
    if "://" not in address or scheme not in SCHEMES:
        raise InputError(
            f"registry {printable(address)}: expected an MLflow tracking address ({', '.join(SCHEMES)}).",
            "Give a sqlite file, e.g. --registry sqlite:///mlflow.db, or a server, e.g. http://mlflow:5000",
        )


def printable(address: str) -> str:
    """`address` without user and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if parts.username else address


def mirror(address: str, name: str, entries: Sequence[Entry], aliases: Mapping[str, str | None]) -> None:
    """Make MLflow at `address` say about model `name` what the store says.

    `aliases` gives the stored version of each alias, none for an alias to be removed.
    Raises `TemporaryError` where MLflow cannot be reached or refuses.
    """
    with _faults(address):
        client = _client(address)
        registered = {
            found.tags.get(STORE_VERSION): found for found in client.search_model_versions(f"name = '{name}'")
        }
        missing = [entry for entry in entries if entry.version not in registered]
        if missing:
            _register_model(client, name)
            experiment = _experiment(client, address, name, _uri(missing[0]).rsplit("/", 2)[0])
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
        _set_aliases(client, name, {key: registered[v].version if v else None for key, v in aliases.items()})


def _client(address: str) -> Any:
    """Make an MLflow client that sends no telemetry, keeps quiet, and gives up on a dead server within seconds."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # it is read when mlflow is imported
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    import mlflow

    # Whatever goes wrong is raised too, and reported once; without this it would be logged before, with tracebacks.
    logging.getLogger("mlflow").setLevel(logging.CRITICAL)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    database = Path(address.removeprefix("sqlite:///"))
    if address.startswith("sqlite:///") and not database.exists():
        log.info("setting up %s", database.name)
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
    source = _uri(entry)
    is_hidden = address.startswith("http") and source.startswith("file:")
    return f"ferflow-store://{name}/{entry.version}" if is_hidden else source


def _uri(entry: Entry) -> str:
    return entry.address if "://" in entry.address else Path(entry.address).resolve().as_uri()


def _set_aliases(client: Any, name: str, wanted: Mapping[str, str | None]) -> None:
    present = client.get_registered_model(name).aliases
    for alias, version in wanted.items():
        if version is None and alias in present:
            client.delete_registered_model_alias(name, alias)
        elif version is not None and str(present.get(alias)) != str(version):
            client.set_registered_model_alias(name, alias, version)


@contextmanager
def _faults(address: str) -> Iterator[None]:
    try:
        yield
    except FerflowError:
        raise
    except Exception as error:  # MLflow lets through what SQLAlchemy, alembic and requests raise
        cause = str(error).strip().partition("\n")[0] or type(error).__name__
        secret = urlsplit(address).netloc.rpartition("@")[0]
        raise TemporaryError(
            f"registry {printable(address)}: {cause.replace(f'{secret}@', '') if secret else cause}",
            "The model store is up to date. Run the same command again to bring the registry up to date too.",
        ) from error

"""The mirror in Kubeflow Model Registry, by its client.

One registered model per name, with the aliases as its properties `champion` and `previous`; one model version per
stored version, with tags and metrics as its properties; one model artifact of it that says where the files are.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from components.registry.entries import Aliases, Entry, Said, Shown, settable

SCHEMES = ("kubeflow+http", "kubeflow+https")
EXAMPLE = "kubeflow+https://HOST:PORT"

PATIENCE = 120.0
"""seconds for everything"""

PAGE = 100
"""versions that are asked for at once"""

TOKEN = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105
"""The variable of Kubeflow's clients that names the file with a token."""

IN_A_POD = "/var/run/secrets/kubernetes.io/serviceaccount/token"
"""The service account's, where there is no other."""


def mirror(address: str, name: str, entries: Sequence[Entry], aliases: Aliases) -> Aliases:
    """Make the registry at `address` say about model `name` what the store says. Raises what the client raises.

    Gives the aliases that it could set.
    """

    async def work() -> Aliases:
        async with asyncio.timeout(PATIENCE), _connected(address) as api:
            return await _mirror(api, name, entries, aliases)

    return asyncio.run(work())


def shown(address: str, name: str) -> Shown:
    """Read what the registry says about model `name`. Raises what the client raises."""

    async def work() -> Shown:
        async with asyncio.timeout(PATIENCE), _connected(address) as api:
            return await _shown(api, name)

    return asyncio.run(work())


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[Any]:
    """Give the client, but with one connection: of itself it makes one a call, which takes longer than the call."""
    from model_registry.core import ModelRegistryAPIClient
    from mr_openapi import ApiClient, Configuration, ModelRegistryServiceApi

    host = address.removeprefix("kubeflow+")
    config = Configuration(host=host, access_token=_token(host))

    class Connected(ModelRegistryAPIClient):
        @asynccontextmanager
        async def get_client(self) -> AsyncIterator[Any]:
            yield service

    async with ApiClient(config) as connection:
        service = ModelRegistryServiceApi(connection)
        yield Connected(config)


def _token(host: str) -> str | None:
    """Read the token; the one of a desk is not sent over plain http, but to this machine."""
    file = os.environ.get(TOKEN)
    parts = urlsplit(host)
    if file and (parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")):
        return Path(file).read_text().strip()
    return Path(IN_A_POD).read_text().strip() if Path(IN_A_POD).is_file() else None


async def _mirror(api: Any, name: str, entries: Sequence[Entry], aliases: Aliases) -> Aliases:
    from model_registry.types import ModelArtifact, ModelVersion, RegisteredModel

    model = await api.get_registered_model_by_params(name)
    model = model or await api.upsert_registered_model(RegisteredModel(name=name))
    registered = await _versions(api, model.id)
    for entry in entries:
        said: dict[str, str | float] = {**entry.tags, **entry.metrics}
        version = registered.get(entry.version) or ModelVersion(name=entry.version)
        if version.id is None or not _has(version, said):
            version.custom_properties = {**(version.custom_properties or {}), **said}
            version = await api.upsert_model_version(version, model.id)
        artifact = await api.get_model_artifact_by_params(name, version.id)
        if artifact is None:
            artifact = ModelArtifact(name=name, uri=entry.uri, model_format_name="keras")
            await api.upsert_model_version_artifact(artifact, version.id)
        elif artifact.uri != entry.uri:
            artifact.uri = entry.uri
            await api.upsert_model_artifact(artifact)
    named = settable(aliases, {*registered, *(entry.version for entry in entries)})
    others = {key: value for key, value in (model.custom_properties or {}).items() if key not in named}
    wanted = {**others, **{alias: version for alias, version in named.items() if version}}
    if wanted != (model.custom_properties or {}):
        model.custom_properties = wanted  # both at once, and what others wrote there stays
        await api.upsert_registered_model(model)
    return named


async def _shown(api: Any, name: str) -> Shown:
    model = await api.get_registered_model_by_params(name)
    if model is None:
        return Shown({}, {})
    versions = {}
    for key, version in (await _versions(api, model.id)).items():
        properties = version.custom_properties or {}
        tags = {name: value for name, value in properties.items() if isinstance(value, str)}
        numbers = {name: value for name, value in properties.items() if isinstance(value, float)}
        artifact = await api.get_model_artifact_by_params(name, version.id)
        versions[key] = Said({"tag": tags}, numbers, artifact and artifact.uri)
    properties = model.custom_properties or {}
    return Shown(versions, {alias: str(properties[alias]) for alias in ("champion", "previous") if alias in properties})


async def _versions(api: Any, model: str) -> dict[str, Any]:
    """All versions of a registered model, by name."""
    from model_registry.types import ListOptions

    found, options = {}, ListOptions(limit=PAGE)
    while True:
        page = await api.get_model_versions(model, options)
        found.update({version.name: version for version in page})
        if not page or not options.next_page_token:
            return found


def _has(version: Any, wanted: Mapping[str, str | float]) -> bool:
    properties = version.custom_properties or {}
    return all(properties.get(key) == value for key, value in wanted.items())

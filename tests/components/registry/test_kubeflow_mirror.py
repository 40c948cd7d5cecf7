"""The mirror in Kubeflow Model Registry, by its own client: what lags, lacks or was lost is found and completed."""

import inspect
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mr_openapi.api import model_registry_service_api

from components.registry import kubeflow_mirror
from components.registry.entries import Entry, differences
from tests.components.buckets import Proxy
from tests.components.registry.conftest import FIRST, NAME, SECOND
from tests.components.registry.model_registry_server import OPERATIONS, Server

ALIASES = {"champion": SECOND, "previous": FIRST}


def mirror(server: Server, entries: list[Entry], aliases: Any = ALIASES) -> None:
    kubeflow_mirror.mirror(f"kubeflow+{server.host}", NAME, entries, aliases)


def lagging(server: Server, entries: list[Entry], aliases: Any = ALIASES) -> list[str]:
    return list(differences(entries, aliases, kubeflow_mirror.shown(f"kubeflow+{server.host}", NAME)))


def state(server: Server) -> Any:
    return server.models, server.versions, server.artifacts


def test_the_clients_api_has_what_the_stand_in_answers() -> None:
    source = inspect.getsource(model_registry_service_api)
    known = {
        f"{method} {re.sub('{[^}]+}', '([^/]+)', path)}"
        for method, path in re.findall(r'method="(\w+)",\s+resource_path="([^"]+)"', source)
    }
    assert OPERATIONS.keys() <= known


def test_every_stored_version_is_shown(server: Server, entries: list[Entry], tmp_path: Path) -> None:
    mirror(server, entries)
    (model,) = server.models.values()
    assert model["name"] == NAME
    properties = {key: value["string_value"] for key, value in model["customProperties"].items()}
    assert properties == ALIASES
    assert [entry["name"] for entry in server.versions.values()] == [FIRST, SECOND]
    assert [entry["uri"] for entry in server.artifacts.values()] == [
        f"file://{tmp_path}/models/{NAME}/versions/{version}" for version in (FIRST, SECOND)
    ]
    assert lagging(server, entries) == []


def test_an_empty_registry_lacks_everything(server: Server, entries: list[Entry]) -> None:
    assert lagging(server, entries) == [
        f"version {FIRST} is not there",
        f"version {SECOND} is not there",
        f"alias champion is not there, expected {SECOND}",
        f"alias previous is not there, expected {FIRST}",
    ]


def test_again_changes_nothing(server: Server, entries: list[Entry]) -> None:
    mirror(server, entries)
    before = len(server.requests)
    mirror(server, entries)
    assert {request.partition(" ")[0] for request in server.requests[before:]} == {"GET"}


def test_aliases_follow_the_champion(server: Server, entries: list[Entry]) -> None:
    mirror(server, entries[:1], {"champion": FIRST, "previous": None})
    assert lagging(server, entries[:1], {"champion": FIRST, "previous": None}) == []
    mirror(server, entries)
    assert lagging(server, entries) == []
    mirror(server, entries, {"champion": SECOND, "previous": None})
    assert lagging(server, entries, {"champion": SECOND, "previous": None}) == []


def test_more_versions_than_a_page_has_are_found(
    server: Server, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubeflow_mirror, "PAGE", 2)
    many = [replace(entries[0], version=f"{number:04d}-1a2b3c4d") for number in range(1, 6)]
    mirror(server, many, {"champion": FIRST})
    assert lagging(server, many, {"champion": FIRST}) == []
    mirror(server, many, {"champion": FIRST})
    assert len(server.versions) == 5


def spoil_property(server: Server) -> None:
    server.versions["4"]["customProperties"]["verdict"]["string_value"] = "REJECT"


def spoil_alias(server: Server) -> None:
    server.models["1"]["customProperties"]["champion"]["string_value"] = FIRST


def spoil_address(server: Server) -> None:
    server.artifacts["5"]["uri"] = "file:///nowhere"


def spoil_all(server: Server) -> None:
    for entries in state(server):
        entries.clear()


@pytest.mark.parametrize("spoil", [spoil_property, spoil_alias, spoil_address, spoil_all])
def test_what_was_lost_comes_back(server: Server, entries: list[Entry], spoil: Any) -> None:
    mirror(server, entries)
    assert (server.versions["4"]["name"], server.artifacts["5"]["name"]) == (SECOND, NAME)
    spoil(server)
    assert lagging(server, entries) != []
    mirror(server, entries)
    assert lagging(server, entries) == []
    assert [entry["uri"] for entry in server.artifacts.values()] == [entry.uri for entry in entries]


def test_a_wrong_address_is_named(server: Server, entries: list[Entry]) -> None:
    mirror(server, entries)
    spoil_address(server)
    assert lagging(server, entries) == [
        f"version {SECOND}: source is file:///nowhere, expected {entries[1].uri}",
    ]
    server.artifacts.clear()
    assert lagging(server, entries)[1] == f"version {SECOND}: source is not there, expected {entries[1].uri}"


def test_what_others_wrote_there_stays(server: Server, entries: list[Entry]) -> None:
    mirror(server, entries)
    theirs = {"string_value": "vision", "metadataType": "MetadataStringValue"}
    for kept in (server.models["1"], server.versions["4"]):
        kept["customProperties"]["team"] = theirs
    spoil_property(server)
    mirror(server, entries, {"champion": FIRST, "previous": SECOND})
    for kept in (server.models["1"], server.versions["4"]):
        assert kept["customProperties"]["team"] == theirs


@pytest.mark.parametrize("fault", ["cut", "lost"])
def test_a_mirror_cut_at_any_request_is_completed_by_the_next(server: Server, entries: list[Entry], fault: Any) -> None:
    step, survived = 0, False
    with Proxy(server.host) as proxy:
        while not survived:
            spoil_all(server)
            step += 1
            seen = len(proxy.requests)
            proxy.rule = lambda *_, last=seen + step: fault if len(proxy.requests) >= last else None
            try:
                kubeflow_mirror.mirror(f"kubeflow+{proxy.address}", NAME, entries, ALIASES)
                survived = True
            except Exception as error:
                assert "Disconnected" in type(error).__name__, error  # noqa: PT017
            mirror(server, entries)
            assert lagging(server, entries) == []
            assert (len(server.models), len(server.versions), len(server.artifacts)) == (1, 2, 2)
    assert step > 8


def test_a_token_is_read_from_the_file_that_is_named(
    server: Server, entries: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.token = "secret"
    with pytest.raises(Exception, match="Unauthorized"):
        mirror(server, entries)
    (tmp_path / "token").write_text("secret\n")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "token"))
    mirror(server, entries)
    assert kubeflow_mirror._token("http://registry.example") is None  # it would go over the network for all to read
    assert kubeflow_mirror._token("https://registry.example") == "secret"

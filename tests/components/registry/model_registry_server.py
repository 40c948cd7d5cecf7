"""A stand-in for Kubeflow Model Registry, for what ferflow asks of it.

Every request and every answer is held to the models of `mr_openapi`, which its client is made of: a field that they do
not have, or of another type, fails the test. Rules that the models do not say are the server's own: names are unique,
what an update leaves out stays, custom properties are replaced as a whole, what is not found by name is a 404.
"""

import itertools
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import mr_openapi

Json = dict[str, Any]


class Refusal(Exception):
    """An answer that is none of the wanted ones."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Server:
    """The server's state."""

    token: str = ""
    """that it wants; none where it is empty"""
    models: dict[str, Json] = field(default_factory=dict)
    versions: dict[str, Json] = field(default_factory=dict)
    artifacts: dict[str, Json] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    """the version of each artifact"""
    requests: list[str] = field(default_factory=list)
    """method and path of those that came"""
    problems: list[str] = field(default_factory=list)
    """requests or answers that the models do not allow"""
    host: str = ""

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    def kept(self, entries: dict[str, Json], entry: Json) -> Json:
        """Keep a new entry under an id of its own."""
        number = str(next(self._numbers))
        entries[number] = {**entry, "id": number}
        return entries[number]

    def changed(self, entries: dict[str, Json], number: str, change: Json) -> Json:
        """Change what `change` gives."""
        if number not in entries:
            raise Refusal(404, f"no entry found for id {number}")
        entries[number].update(change)
        return entries[number]


def held_to(model: str, data: Json) -> None:
    """Fail where `data` is not what the client's model says, field by field."""
    understood = getattr(mr_openapi, model).from_dict(data).to_dict()
    assert understood == data, f"{model}: {data} is understood as {understood}"


def find(entries: Mapping[str, Json], **wanted: str) -> Json:
    for entry in entries.values():
        if all(entry.get(key) == value for key, value in wanted.items()):
            return entry
    raise Refusal(404, f"none found for {wanted}")


def find_model(server: Server, query: Json, body: Json) -> tuple[str, Json]:
    return "RegisteredModel", find(server.models, name=query["name"])


def create_model(server: Server, query: Json, body: Json) -> tuple[str, Json]:
    held_to("RegisteredModelCreate", body)
    if any(entry["name"] == body["name"] for entry in server.models.values()):
        raise Refusal(409, f"registered model with name {body['name']} already exists")
    return "RegisteredModel", server.kept(server.models, body)


def update_model(server: Server, number: str, query: Json, body: Json) -> tuple[str, Json]:
    held_to("RegisteredModelUpdate", body)
    return "RegisteredModel", server.changed(server.models, number, body)


def list_versions(server: Server, model: str, query: Json, body: Json) -> tuple[str, Json]:
    found = [entry for entry in server.versions.values() if entry["registeredModelId"] == model]
    start, size = int(query.get("nextPageToken") or 0), int(query["pageSize"])
    page = found[start : start + size]
    following = str(start + size) if start + size < len(found) else ""
    return "ModelVersionList", {"items": page, "nextPageToken": following, "pageSize": size, "size": len(page)}


def create_version(server: Server, query: Json, body: Json) -> tuple[str, Json]:
    held_to("ModelVersionCreate", body)
    model = body["registeredModelId"]
    if model not in server.models:
        raise Refusal(400, f"no registered model found for id {model}")
    if any((entry["registeredModelId"], entry["name"]) == (model, body["name"]) for entry in server.versions.values()):
        raise Refusal(409, f"model version with name {body['name']} already exists")
    return "ModelVersion", server.kept(server.versions, body)


def update_version(server: Server, number: str, query: Json, body: Json) -> tuple[str, Json]:
    held_to("ModelVersionUpdate", body)
    return "ModelVersion", server.changed(server.versions, number, body)


def find_artifact(server: Server, query: Json, body: Json) -> tuple[str, Json]:
    own = {key: entry for key, entry in server.artifacts.items() if server.parents[key] == query["parentResourceId"]}
    return "ModelArtifact", find(own, name=query["name"])


def create_artifact(server: Server, version: str, query: Json, body: Json) -> tuple[str, Json]:
    assert body["artifactType"] == "model-artifact"
    held_to("ModelArtifact", body)
    if version not in server.versions:
        raise Refusal(404, f"no model version found for id {version}")
    own = [entry for key, entry in server.artifacts.items() if server.parents[key] == version]
    if any(entry["name"] == body["name"] for entry in own):
        raise Refusal(409, f"artifact with name {body['name']} already exists")
    made = server.kept(server.artifacts, body)
    server.parents[made["id"]] = version
    return "ModelArtifact", made


def update_artifact(server: Server, number: str, query: Json, body: Json) -> tuple[str, Json]:
    held_to("ModelArtifactUpdate", body)
    return "ModelArtifact", server.changed(server.artifacts, number, body)


API = "/api/model_registry/v1"
OPERATIONS: Mapping[str, Any] = {
    f"GET {API}/registered_model": find_model,
    f"POST {API}/registered_models": create_model,
    f"PATCH {API}/registered_models/([^/]+)": update_model,
    f"GET {API}/registered_models/([^/]+)/versions": list_versions,
    f"POST {API}/model_versions": create_version,
    f"PATCH {API}/model_versions/([^/]+)": update_version,
    f"GET {API}/model_artifact": find_artifact,
    f"POST {API}/model_versions/([^/]+)/artifacts": create_artifact,
    f"PATCH {API}/model_artifacts/([^/]+)": update_artifact,
}


class Handler(BaseHTTPRequestHandler):
    """HTTP in front of the state."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms between its headers and its content
    state: Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _serve(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        address = urlsplit(self.path)
        self.state.requests.append(f"{self.command} {address.path}")
        try:
            answer = self._answer(address.path, dict(parse_qsl(address.query)), content)
            status = 201 if self.command == "POST" else 200
        except Refusal as error:
            status, answer = error.status, {"code": str(error.status), "message": str(error)}
        except Exception as error:  # the test shall fail of it, not the server alone
            self.state.problems.append(f"{self.command} {self.path}: {error!r}")
            status, answer = 500, {"code": "500", "message": repr(error)}
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _answer(self, path: str, query: Json, content: bytes) -> Json:
        if self.state.token and self.headers.get("authorization") != f"Bearer {self.state.token}":
            raise Refusal(401, "Unauthorized")
        for pattern, operation in OPERATIONS.items():
            method, _, expression = pattern.partition(" ")
            if method == self.command and (found := re.fullmatch(expression, path)):
                body = json.loads(content) if content else {}
                model, answer = operation(self.state, *found.groups(), query=query, body=body)
                held_to(model, answer)
                return dict(answer)
        raise Refusal(404, "Not Found")

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@contextmanager
def serve() -> Iterator[Server]:
    """A server at `host`; what the models do not allow fails the caller at the end."""
    state = Server()
    handler = type("Bound", (Handler,), {"state": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        http.daemon_threads = True
        state.host = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield state
        finally:
            http.shutdown()
            thread.join()
    assert not state.problems, state.problems

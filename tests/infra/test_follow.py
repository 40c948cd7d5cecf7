"""follow.py: the served version follows the champion of the model store, and nothing else moves it."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.fer.errors import InputError, TemporaryError
from components.model_store import promotion
from components.model_store.store import open_store
from infra.check.program import REPOSITORY
from infra.kubernetes.components.serving import follow
from tests.components.model_store import made

PATH = "/apis/serving.kserve.io/v1beta1/namespaces/team/inferenceservices/ferflow"


class Kubernetes:
    """One InferenceService behind Kubernetes' API: it reads, and merges patches."""

    def __init__(self) -> None:
        self.service: Any = {"spec": {"predictor": {"minReplicas": 2}}}
        self.patches: list[Any] = []
        self.status = 0
        """what it answers instead; 0 for nothing"""
        self.address = ""


class Handler(BaseHTTPRequestHandler):
    state: Kubernetes

    def do_GET(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        assert self.headers["Content-Type"] == "application/merge-patch+json"
        patch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.state.status:
            self.state.patches.append(patch)
            merge(self.state.service, patch)
        self._answer()

    def _answer(self) -> None:
        known = self.path == PATH and self.headers["Authorization"] == "Bearer a-token"
        self.send_response(self.state.status or (200 if known else 403))
        self.end_headers()
        self.wfile.write(json.dumps(self.state.service).encode())

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


def merge(target: Any, patch: Any) -> None:
    """JSON Merge Patch, RFC 7386, without removal."""
    for key, value in patch.items():
        if isinstance(value, dict):
            merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


@pytest.fixture
def kubernetes() -> Iterator[Kubernetes]:
    state = Kubernetes()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"state": state})) as server:
        state.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def pod(tmp_path: Path) -> Path:
    """What Kubernetes puts into a pod."""
    folder = tmp_path / "pod"
    folder.mkdir()
    (folder / "namespace").write_text("team")
    (folder / "token").write_text("a-token")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "models")


def promoted(store: str, right: int) -> str:
    """A new version that became champion."""
    opened = open_store(store)
    version = made.make(opened, right)
    promotion.by_person(opened, made.NAME, opened.champion(made.NAME), version.id, "somebody", "better")
    return version.id


def version_of(kubernetes: Kubernetes) -> str:
    return str(kubernetes.service["spec"]["predictor"]["annotations"]["ferflow/version"])


def test_the_served_version_follows_promotion_and_rollback(kubernetes: Kubernetes, pod: Path, store: str) -> None:
    first = promoted(store, 60)
    told = follow.follow(store, made.NAME, "ferflow", kubernetes.address, pod)
    assert told == f"fer-hybrid: whatever was champion -> {first}"
    assert version_of(kubernetes) == first

    second = promoted(store, 70)
    assert follow.follow(store, made.NAME, "ferflow", kubernetes.address, pod) == f"fer-hybrid: {first} -> {second}"
    assert version_of(kubernetes) == second

    opened = open_store(store)
    promotion.back(opened, made.NAME, opened.champion(made.NAME), "somebody", "worse")
    follow.follow(store, made.NAME, "ferflow", kubernetes.address, pod)
    assert version_of(kubernetes) == first
    assert kubernetes.service["spec"]["predictor"]["minReplicas"] == 2


def test_nothing_is_written_where_nothing_moved(kubernetes: Kubernetes, pod: Path, store: str) -> None:
    version = promoted(store, 60)
    follow.follow(store, made.NAME, "ferflow", kubernetes.address, pod)
    told = follow.follow(store, made.NAME, "ferflow", kubernetes.address, pod)
    assert told == f"fer-hybrid: {version} is served"
    assert len(kubernetes.patches) == 1


def test_without_a_champion_nothing_is_asked(kubernetes: Kubernetes, pod: Path, store: str) -> None:
    made.make(open_store(store), 60)
    with pytest.raises(InputError, match="expected a champion, found none"):
        follow.follow(store, made.NAME, "ferflow", kubernetes.address, pod)
    assert kubernetes.patches == []


@pytest.mark.parametrize(
    ("status", "error"), [(403, InputError), (404, InputError), (409, TemporaryError), (503, TemporaryError)]
)
def test_a_refusal_is_told_apart_from_a_fault_that_passes(
    status: int, error: type[Exception], kubernetes: Kubernetes, pod: Path, store: str
) -> None:
    promoted(store, 60)
    kubernetes.status = status
    with pytest.raises(error, match=f"expected an answer, received {status}"):
        follow.follow(store, made.NAME, "ferflow", kubernetes.address, pod)


def test_a_kubernetes_that_does_not_answer_is_tried_again(pod: Path, store: str) -> None:
    promoted(store, 60)
    with pytest.raises(TemporaryError, match="expected an answer"):
        follow.follow(store, made.NAME, "ferflow", "http://127.0.0.1:1", pod)


def test_as_the_pod_runs_it(store: str) -> None:
    """The command of the manifest: one line of error, no traceback."""
    path = Path(follow.__file__)
    done = subprocess.run(
        [sys.executable, path, store, made.NAME, "ferflow"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"model fer-hybrid in {store}: expected a champion, found none.")
    assert "Traceback" not in done.stderr

"""A cluster to submit to: a stand-in server, its settings, pushed images, a clean repository."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from pipeline import data, images, kubeflow, placement, repository
from pipeline.cluster import connection, credentials, remote, settings, watch
from pipeline.cluster.settings import Settings
from pipeline.ir import Document
from pipeline.parameters import Parameters
from tests.components.conftest import gs, gs_server  # noqa: F401 -- fixtures
from tests.pipeline.cluster.kfp_http import serve
from tests.pipeline.cluster.kfp_server import Server

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def kfp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server, and a client that does not wait."""
    for name in (credentials.TOKEN, "KF_PIPELINES_SA_TOKEN_PATH", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(connection, "PAUSES", (0, 0, 0))
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_LOOKS", 0)
    with serve() as server:
        yield server


@pytest.fixture
def team(kfp: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a team whose cluster the server is, in their file."""
    values = {
        "host": kfp.host,
        "namespace": "team",
        "pipeline_root": "gs://team/artifacts",
        "service_account": "trainer",
        "credentials": "none",
        "data": "gs://team/dvc",
        "parameters": {"registry.store": "gs://team/models", "registry.registry": "http://mlflow"},
    }
    path = tmp_path / "cluster.yaml"
    path.write_text(yaml.safe_dump(values))
    monkeypatch.setattr(settings, "SETTINGS", path)
    return settings.read()


@pytest.fixture
def pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An image of each component that the main job or its schedule runs, by digest."""
    components = sorted(placement.Table.read().stages.keys() - set(images.ON_DEMAND))
    found = {name: f"registry/ferflow-{name}@sha256:{number:064x}" for number, name in enumerate(components)}
    path = tmp_path / "images.lock.json"
    path.write_text(json.dumps(found))
    monkeypatch.setattr(images, "LOCK", path)
    return found


@pytest.fixture
def committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean repository with data.dvc."""
    folder = tmp_path / "repository"
    folder.mkdir()
    shutil.copy(ROOT / "data.dvc", folder)
    monkeypatch.setattr(repository, "ROOT", folder)
    for command in ("init -q", "add .", "-c user.name=x -c user.email=x@example.com commit -qm x"):
        subprocess.run(["git", "-C", folder, *command.split()], check=True)
    return folder


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What the DVC remote answers, the size of the data object in bytes; test_remote.py asks a real one."""
    answer: dict[str, int] = {"size": data.size()}

    @contextmanager
    def in_background(url: str, md5: str) -> Iterator[object]:
        assert (url, md5) == ("gs://team/dvc", data.location()[1])
        yield lambda: answer["size"]

    monkeypatch.setattr(remote, "in_background", in_background)
    return answer


@pytest.fixture
def ready(
    team: Settings,
    pushed: dict[str, str],
    committed: Path,
    stored: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """All that a submission needs; graphs are compiled once for all tests."""
    monkeypatch.setattr(kubeflow, "compiled", compiled)
    return team


def compiled(graph: str, values: Parameters, *, scheduled: bool = False) -> tuple[Document, Document]:
    """What kubeflow.compiled gives for the images of `pushed`."""
    key = (graph, json.dumps(values), scheduled)
    if key not in COMPILED:
        COMPILED[key] = COMPILE(graph, values, scheduled=scheduled)
    return COMPILED[key]


COMPILE = kubeflow.compiled
COMPILED: dict[tuple[str, str, bool], tuple[Document, Document]] = {}

"""Registries to mirror to."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.registry.entries import Entry
from tests.components.registry.model_registry_server import Server, serve

NAME = "fer-hybrid"
FIRST, SECOND = "0001-1a2b3c4d", "0002-5e6f7a8b"


@pytest.fixture
def mlflow_address(empty_database: Path, tmp_path: Path) -> str:
    """An empty MLflow."""
    return f"sqlite:///{shutil.copy(empty_database, tmp_path / 'mlflow.db')}"


@pytest.fixture
def server() -> Iterator[Server]:
    """An empty Kubeflow Model Registry."""
    with serve() as state:
        yield state


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    """Two versions of a store."""
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return [
        Entry(
            version,
            str(tmp_path / "models" / NAME / "versions" / version),
            when,
            {"data_md5": "f8428a1edbd21e88f42c73edd2a14f95", "verdict": verdict},
            {"public.accuracy": accuracy, "private.full.accuracy": 0.5},
        )
        for version, verdict, accuracy in ((FIRST, "PROMOTE", 0.581), (SECOND, "HOLD", 0.583))
    ]

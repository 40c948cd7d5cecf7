"""Credentials of store and registry are in no log and in no file of the stage, whatever becomes of the push."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.container import flag
from tests import planted
from tests.components.push_model.conftest import Workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("registry", "code"),
    [
        ("sqlite:///{folder}/mlflow.db", 0),
        ("http://{user}:{password}@127.0.0.1:9,kubeflow+http://{user}:{password}@127.0.0.1:9", 75),
        ("ftp://{user}:{password}@127.0.0.1:9", 1),
    ],
    ids=["pushed", "registries away", "no registry"],
)
def test_nothing_is_said_or_written(
    registry: str,
    code: int,
    workspace: Callable[[Path], Workspace],
    empty_database: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    here = workspace(tmp_path)
    here.put_candidate(5)
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    address = registry.format(folder=tmp_path, user=planted.USER, password=planted.PASSWORD)
    config = here.config(registry=address)
    words = [word for name, value in config.model_dump().items() for word in (flag(name), str(value))]
    done = subprocess.run(
        [sys.executable, "-m", "components.push_model", *words],
        cwd=tmp_path,
        env={
            **os.environ,
            **planted.environment(tmp_path_factory.mktemp("credentials")),
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "DEBUG",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert done.stderr
    assert planted.leaks(done.stdout + done.stderr, tmp_path) == []

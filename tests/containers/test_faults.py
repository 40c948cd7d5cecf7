"""Each stage in its container, told to stop, then killed half-way through its renames, then run again.

What it gives in the end is what a run that nobody disturbed gives.
"""

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
import pytest
import yaml
from docker.models.containers import Container

from components.model_store import manifest
from components.model_store.store import open_store
from pipeline import docker as command
from tests.containers import content
from tests.containers.test_images import component

pytestmark = [pytest.mark.containers, pytest.mark.slow]

HALF_WAY = """
import runpy, sys, time
from components.fer import stage

replace, before = stage._replace, int(sys.argv[1])

def hold(source, target):
    global before
    if before == 0:
        print("half way", flush=True)
        time.sleep(600)
    before -= 1
    replace(source, target)

stage._replace = hold
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
"""Runs a stage that stops for good before one of its outputs gets its name: `python -c HALF_WAY NUMBER MODULE ...`."""


@pytest.fixture
def workspace(desk: Path, tmp_path: Path) -> Path:
    """A desk's folder as it is, but for the store and the registry."""
    for name in ("data", "results", "artifacts"):
        shutil.copytree(desk / name, tmp_path / name, ignore=shutil.ignore_patterns("docker"))
    return tmp_path


@pytest.fixture
def commands(desk: Path) -> Mapping[str, list[str]]:
    """What DVC ran for each stage."""
    lock = yaml.safe_load((desk / "dvc.lock").read_text())
    return {stage: shlex.split(entry["cmd"]) for stage, entry in lock["stages"].items()}


@contextmanager
def running(image: str, words: list[str], folder: Path) -> Iterator[Container]:
    """A container as `ferflow run --docker` makes it, at work in `folder`."""
    client = docker.from_env()
    binds = {str(folder): {"bind": str(folder), "mode": "rw"}}
    how = command.options(client.info(), folder)
    container = client.containers.run(image, words, detach=True, volumes=binds, **how)
    try:
        yield container
    finally:
        container.remove(force=True)
        client.close()


def ended(container: Container) -> tuple[int, str]:
    """Exit code and log of a container, at its end."""
    code = container.wait()["StatusCode"]
    return code, container.logs().decode()


def outputs(folder: Path, stage: str) -> list[Path]:
    return [path for kind in ("results", "artifacts") for path in sorted((folder / kind / stage).glob("[!.]*"))]


def remove(folder: Path, stage: str) -> None:
    """Take away what the stage wrote, a push's store and registry too."""
    for kind in ("results", "artifacts"):
        shutil.rmtree(folder / kind / stage, ignore_errors=True)
    if stage == "push-model":
        shutil.rmtree(folder / "models", ignore_errors=True)
        (folder / "mlflow.db").unlink(missing_ok=True)


@pytest.mark.parametrize(
    "stage", ["validate", "preprocess", "train-backbone-a", "train-hybrid", "evaluate", "push-model"]
)
def test_a_stage_survives_both_signals(
    stage: str,
    trial: subprocess.CompletedProcess[str],
    images: Mapping[str, str],
    commands: Mapping[str, list[str]],
    desk: Path,
    workspace: Path,
) -> None:
    words = commands[stage]
    image = images[component(words)]
    count = len(outputs(workspace, stage))
    took = re.search(rf"  {stage} \(\d of 7\) done in ([0-9.]+) s", trial.stdout)
    assert took

    delay, code, log = float(took[1]), 0, ""
    while code == 0:  # it was done before the signal came: once more, and sooner
        delay /= 2
        remove(workspace, stage)
        with running(image, words, workspace) as container:
            time.sleep(delay)
            with suppress(docker.errors.APIError):  # it has ended
                container.kill("SIGTERM")
            code, log = ended(container)
    assert code == 75, log
    assert log.endswith("Start the same command again.\n")
    assert outputs(workspace, stage) == []

    with running(image, ["python", "-c", HALF_WAY, str(count // 2), *words[2:]], workspace) as container:
        while b"half way" not in container.logs():
            container.reload()
            assert container.status == "running", container.logs().decode()
            time.sleep(0.1)
        container.kill("SIGKILL")
        assert ended(container)[0] == 137
    assert len(outputs(workspace, stage)) == count // 2

    with running(image, words, workspace) as container:
        code, log = ended(container)
    assert code == 0, log
    assert content.of(workspace, stage) == content.of(desk, stage)
    assert list(workspace.rglob(".unfinished-*")) == []
    if stage == "push-model":
        assert_whole(workspace / "models", desk / "models")


def assert_whole(store: Path, undisturbed: Path) -> None:
    """The store has the version and the champion of an undisturbed push, whole."""
    name = "fer-demo"
    found, other = (open_store(str(place)) for place in (store, undisturbed))
    assert [version.id for version in found.versions(name)] == [version.id for version in other.versions(name)]
    champion, expected = found.champion(name), other.champion(name)
    assert champion is not None
    assert expected is not None
    assert (champion.version, champion.previous, len(champion.history)) == (expected.version, None, 1)
    with found.fetched(name, champion.version) as folder:  # every file is hashed again
        assert {path.name for path in folder.iterdir()} >= {"model.keras", "saved_model", manifest.NAME}

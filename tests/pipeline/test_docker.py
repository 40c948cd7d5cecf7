"""What `ferflow run --docker` decides before and after the containers run; tests/containers has the rest."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.fer.errors import InputError
from pipeline import cli, containers, data, docker, parameters
from pipeline import run as command
from pipeline.build import ENGINE
from pipeline.containers import End
from pipeline.desk import ROOT
from pipeline.ir import Document
from pipeline.jobs import Job, jobs

ENGINE_INFO: dict[str, Any] = {"SecurityOptions": ["name=seccomp,profile=default"], "Runtimes": {"runc": {}}}

REGISTRY = {"registry__store": "models", "registry__registry": "sqlite:///mlflow.db", "registry__name": "fer"}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("registry__store", "gs://bucket/models"),
        ("registry__store", "/shared/models"),
        ("registry__store", "../models"),
        ("registry__registry", "http://mlflow:5000"),
        ("registry__registry", "sqlite:////shared/mlflow.db"),
    ],
)
def test_a_trial_promotes_nothing_elsewhere(name: str, place: str) -> None:
    assert docker.trial_values({**REGISTRY, name: place}) == REGISTRY


def test_places_inside_the_trial_stay() -> None:
    inside: parameters.Parameters = {**REGISTRY, "registry__store": "my/models", "data__path": "/data/fer2013.csv"}
    assert docker.trial_values(inside) == inside
    assert docker.trial_values({"data__path": "x.csv"}) == {"data__path": "x.csv"}  # a graph without push-model


def test_the_values_are_params_yaml_again(tmp_path: Path) -> None:
    values = parameters.read(ROOT / "params.yaml")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(docker.sections(values)))
    assert parameters.read(tmp_path / "params.yaml") == values


def test_a_compiled_graph_with_other_parameters() -> None:
    ir: Document = {"root": {"inputDefinitions": {"parameters": {"data__path": {}, "training__seed": {}}}}}
    docker.check_parameters(ir, {"data__path": "x", "training__seed": 1}, Path("pipeline.yaml"))
    with pytest.raises(InputError) as error:
        docker.check_parameters(ir, {"data__path": "x", "training__flip": True}, Path("pipeline.yaml"))
    assert str(error.value) == (
        "pipeline.yaml: expected the parameters of params.yaml, found a difference in training.flip, training.seed.\n"
        "ferflow compile"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job's folder with data beside and below it."""
    folder = tmp_path / "recipes" / "mine"
    for path in (folder / "data" / "fer2013.csv", folder / "votes.csv", tmp_path / "recipes" / "data" / "faces.csv"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content")
    (folder / "weights").mkdir()
    (folder / "models").mkdir()
    return folder


def test_containers_see_the_trial_and_what_the_values_name(folder: Path) -> None:
    trial = folder / docker.TRIAL
    values: parameters.Parameters = {
        **REGISTRY,
        "data__path": "data/fer2013.csv",
        "evaluate__ferplus": "votes.csv",
        "backbone_a__weights": "weights",
        "backbone_b__weights": "imagenet",
        "hybrid__weights": "trained",
    }
    assert docker.binds(folder, trial, values, ENGINE_INFO) == {
        str(trial): {"bind": str(trial), "mode": "rw"},
        str(folder / "data/fer2013.csv"): {"bind": str(trial / "data/fer2013.csv"), "mode": "ro"},
        str(folder / "votes.csv"): {"bind": str(trial / "votes.csv"), "mode": "ro"},
        str(folder / "weights"): {"bind": str(trial / "weights"), "mode": "ro"},
    }
    assert (trial / "data/fer2013.csv").read_text() == ""  # made here, since the engine would make it as root
    assert (trial / "weights").is_dir()


def test_data_beside_the_job_is_found_by_the_same_path(folder: Path) -> None:
    trial = folder / docker.TRIAL
    (source, target) = list(docker.binds(folder, trial, {"data__path": "../data/faces.csv"}, ENGINE_INFO).items())[1]
    assert Path(source).samefile(folder.parent / "data" / "faces.csv")
    assert target == {"bind": os.path.normpath(trial / "../data/faces.csv"), "mode": "ro"}
    assert not trial.exists()


def test_selinux_wants_a_label(folder: Path) -> None:
    info = {**ENGINE_INFO, "SecurityOptions": ["name=selinux"]}
    modes = [entry["mode"] for entry in docker.binds(folder, folder, {"data__path": "votes.csv"}, info).values()]
    assert modes == ["rw,z", "ro,z"]


def test_absent_data(folder: Path) -> None:
    with pytest.raises(InputError) as error:
        docker.binds(folder, folder, {"data__path": "data/nothing.csv"}, ENGINE_INFO)
    assert str(error.value) == (
        f"data set {folder}/data/nothing.csv: expected a file or folder, found none.\n{data.HOW_TO_GET}"
    )
    assert len(docker.binds(folder, folder, {"data__path": "gs://bucket/data"}, ENGINE_INFO)) == 1  # the stage's matter


def test_a_container_is_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1234)
    monkeypatch.setattr(os, "getgid", lambda: 567)
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    assert docker.options(ENGINE_INFO, tmp_path) == {
        "entrypoint": "",
        "user": "1234:567",
        "working_dir": str(tmp_path),
        "read_only": True,
        "tmpfs": {"/tmp": ""},
        "init": True,
        "environment": {"LOG_LEVEL": "DEBUG"},
    }
    rootless = {**ENGINE_INFO, "SecurityOptions": ["name=rootless"]}
    assert docker.options(rootless, tmp_path)["user"] == "0:0"


def test_gpus_where_the_engine_can_give_them(tmp_path: Path) -> None:
    (request,) = docker.options({**ENGINE_INFO, "Runtimes": {"nvidia": {}}}, tmp_path)["device_requests"]
    assert request == {"Driver": "", "Count": -1, "DeviceIDs": [], "Capabilities": [["gpu"]], "Options": {}}


def graph(**outputs: dict[str, str]) -> dict[str, Any]:
    """A compiled graph of tasks with the types of their outputs; each has its component."""
    tasks = {name: {"componentRef": {"name": f"comp-{name}"}, "taskInfo": {"name": f"{name}-a"}} for name in outputs}
    components = {
        f"comp-{name}": {
            "outputDefinitions": {
                "artifacts": {key: {"artifactType": {"schemaTitle": kind}} for key, kind in found.items()}
            }
        }
        for name, found in outputs.items()
    }
    return {"root": {"dag": {"tasks": tasks}}, "components": components}


def test_outputs_go_where_a_desk_has_them(tmp_path: Path) -> None:
    types = {"model_keras": "system.Model", "metrics_json": "system.Metrics", "history_csv": "system.Artifact"}
    made = tmp_path / "kfp" / "run-1" / "train"
    made.mkdir(parents=True)
    for name in types:
        (made / name).write_text(name)
    old = tmp_path / "results" / "gone" / "metrics.json"
    old.parent.mkdir(parents=True)
    old.write_text("of another graph")
    docker.lay_out(graph(train=types), {"train-a": made}, tmp_path)
    files = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        "artifacts/train-a/model.keras": "model_keras",
        "results/train-a/metrics.json": "metrics_json",
        "results/train-a/history.csv": "history_csv",
    }
    assert {path.name for path in tmp_path.iterdir()} == {"results", "artifacts"}


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """`docker.run` of the main job, its trial in another folder, where no engine is."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    job = dataclasses.replace(jobs()["main"], folder=folder)
    return lambda: docker.run(job)


def test_no_engine(run: Callable[[], None]) -> None:
    with pytest.raises(InputError) as error:
        run()
    problem, mend = str(error.value).split("\n", 1)
    assert problem.startswith("Docker engine: expected one that answers. Error while fetching server API version")
    assert mend == f"{ENGINE}\nAn engine that listens elsewhere is named by DOCKER_HOST."


def test_two_runs_at_once(tmp_path: Path) -> None:
    with docker.alone(tmp_path):
        with pytest.raises(InputError) as error, docker.alone(tmp_path):
            pytest.fail("the second run found the lock free")
        assert str(error.value) == f"{tmp_path}: expected no other run there, found one.\nWait for it to end."
    with docker.alone(tmp_path):
        pass


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (
            End(1, False),
            "stage train: expected exit code 0, received 1. Its own message stands above.\nIts log: logs/train.log",
        ),
        (
            End(137, True),
            (
                "stage train: expected to need at most 4.0 GiB of memory, was killed for more (137).\n"
                "infra/pools.yaml limits it, as on the cluster. Its log: logs/train.log"
            ),
        ),
    ],
)
def test_a_stages_exit_code_is_the_runs(end: End, text: str) -> None:
    error = containers.failure("train", end, 4 * 2**30, Path("logs/train.log"))
    assert str(error) == text
    assert error.exit_code == end.exit_code


def test_the_command_line_hands_it_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "data" / "faces.csv").write_text("drawn")
    known = {name: Job(graph, folder, folder / name) for graph, name in command.DEMOS.items()}
    asked: list[Job] = []
    monkeypatch.setattr("pipeline.jobs.jobs", lambda: known)
    monkeypatch.setattr(docker, "run", asked.append)
    cli.main(["run", "--recipe", "demo", "--docker"])
    cli.main(["demo", "single", "--docker"])
    assert asked == [known["demo"], known["demo_single"]]

"""Run a job in its images on this machine: Kubeflow's form of the graph, by the KFP SDK's own Docker runner.

The run is a trial in a folder of its own, in which the containers work and which they see at its own path:

    <job>/artifacts/docker/
        results/ artifacts/    outputs, laid out as `dvc repro` does, and checkpoints of a training that was stopped
        models/ mlflow.db      a model store and a registry of its own: a trial promotes nothing elsewhere
        params.yaml            the values of the run
        logs/ kfp.log          the stages' logs by name, and what the SDK said
        kfp/                   the SDK's pipeline root: of a run that failed, what its stages had finished

Every stage runs every time: the SDK's cache knows an image by its name and the data by its path, and would give old
results for new code and new data.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import docker
import requests
import yaml
from docker.types import DeviceRequest
from kfp import components, local

from components.fer.errors import FerflowError, InputError, Stopped, TemporaryError
from pipeline import build, containers, data, desk, images, parameters, placement, results
from pipeline.ir import Document, documents
from pipeline.jobs import Job

TRIAL = Path("artifacts") / "docker"
"""where in the job's folder a trial is"""

FILES = ("path", "ferplus", "weights", "soft_labels", "teachers", "landmarks", "poses")
"""Keys of the parameters that may name a file or folder which a stage reads, or several, separated by commas."""

OWN = {
    "registry__store": "models",
    "registry__registry": "sqlite:///mlflow.db",
    "training__checkpoints": "artifacts/checkpoints",
}
"""The places that a trial has for itself, by the parameters that name them."""

MEND = f"{build.ENGINE}\nAn engine that listens elsewhere is named by DOCKER_HOST."


class Ended(FerflowError):
    """The run was told to stop, by Ctrl-C or SIGTERM."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(
            "Stopped, and with it the stage in its container; earlier outputs are as they were.",
            "Start the same command again.",
        )
        self.exit_code = exit_code


def run(job: Job) -> None:
    """Run the job's stages one after the other in their images, and print its results.

    Raises `StageFailed` with the exit code of a stage that fails, `InputError` where data, images or engine are absent.
    """
    started = time.monotonic()
    trial = job.folder / TRIAL
    trial.mkdir(parents=True, exist_ok=True)
    try:
        with _sigterm_raises(), _engine() as client, alone(trial):
            containers.remove_orphans(client, trial)
            _run(job, trial, client)
    except (KeyboardInterrupt, Stopped) as stop:
        raise Ended(stop.exit_code if isinstance(stop, Stopped) else 128 + signal.SIGINT) from stop
    except docker.errors.DockerException as error:
        raise InputError(f"Docker engine: {error}", "`docker info` and the engine's log may say more.") from error
    except requests.ConnectionError as error:
        raise TemporaryError(f"Docker engine: expected an answer, lost the connection ({error}).", MEND) from error
    results.show(job, time.monotonic() - started, made=trial)


def _run(job: Job, trial: Path, client: docker.DockerClient) -> None:
    text = job.pipeline.read_text()
    ir, engine = documents(text)[0], client.info()
    values = trial_values(parameters.read(job.folder / "params.yaml"))
    check_parameters(ir, values, job.pipeline)
    boxes = [entry["container"] for entry in ir["deploymentSpec"]["executors"].values()]
    for line in have_images(client, {box["image"]: placement.component(box["command"][-1]) for box in boxes}):
        sys.stdout.write(f"{line}\n")
    for folder in (trial / "kfp", trial / "logs"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    (trial / "params.yaml").write_text(yaml.safe_dump(sections(values), sort_keys=False))
    tasks = ir["root"]["dag"]["tasks"].values()
    runner = containers.Runner(
        names={task["componentRef"]["name"].removeprefix("comp-"): task["taskInfo"]["name"] for task in tasks},
        workspace=trial,
        binds=binds(job.folder, trial, values, engine),
        table=placement.Table.read(),
        memory=engine["MemTotal"],
        terminal=sys.stdout,
    )
    local.init(local.DockerRunner(**options(engine, trial)), pipeline_root=str(trial / "kfp"))
    with containers.in_place_of_the_sdks(runner), _quiet(trial / "kfp.log"):
        components.load_component_from_text(text)(**values)
    lay_out(ir, runner.folders, trial)


def trial_values(values: parameters.Parameters) -> parameters.Parameters:
    """The values, with what the stages keep inside the trial where it would be outside of it."""
    outside = {name: own for name, own in OWN.items() if name in values and _is_outside(str(values[name]))}
    return {**values, **outside}


def _is_outside(address: str) -> bool:
    place = address.removeprefix("sqlite:///")
    return "://" in place or Path(place).is_absolute() or ".." in Path(place).parts


def sections(values: parameters.Parameters) -> dict[str, dict[str, Any]]:
    """The values as params.yaml has them."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, _, key = name.partition(parameters.SEPARATOR)
        found.setdefault(section, {})[key] = value
    return found


def check_parameters(ir: Document, values: parameters.Parameters, pipeline: Path) -> None:
    """Raise `InputError` where the compiled graph has other parameters than params.yaml."""
    if differing := ir["root"]["inputDefinitions"]["parameters"].keys() ^ values.keys():
        names = ", ".join(sorted(map(parameters.dotted, differing)))
        problem = f"{pipeline}: expected the parameters of params.yaml, found a difference in {names}."
        raise InputError(problem, "ferflow compile")


def have_images(client: docker.DockerClient, components: Mapping[str, str]) -> Iterator[str]:
    """See to the images, each given with its component, and tell what a person should know of them.

    One named by its digest is pulled where the engine lacks it. Raises `InputError` where one named by its tag is not
    there, or a registry does not have it.
    """
    missing = [name for name in sorted(components) if not _find(client, name)]
    if built_here := [name for name in missing if "@" not in name]:
        problem = f"images: expected {', '.join(built_here)} in the Docker engine, found none."
        raise InputError(problem, images.making(components[name] for name in built_here))
    for name in missing:
        yield f"pulling {name}"
        try:
            client.images.pull(name)
        except docker.errors.APIError as error:
            mend = "`docker login` where the registry asks for it; or make images, and push them."
            raise InputError(f"image {name}: expected it in its registry. {error.explanation}", mend) from error
    if other := [name for name in sorted(components) if _is_of_another_revision(client, name, components[name])]:
        making = images.making(components[name] for name in other)
        yield f"of another revision than this tree ({making}, to try what is here): {', '.join(other)}"


def _is_of_another_revision(client: docker.DockerClient, name: str, component: str) -> bool:
    held = client.images.get(name).labels.get("org.opencontainers.image.revision")
    here = build.labels(component).get("revision")
    return bool(held and here and held != here)


def _find(client: docker.DockerClient, name: str) -> bool:
    try:
        client.images.get(name)
    except docker.errors.ImageNotFound:
        return False
    return True


def binds(folder: Path, trial: Path, values: parameters.Parameters, engine: Mapping[str, Any]) -> dict[str, Any]:
    """What the containers see, as docker's `volumes`: the trial to write, and to read what the values name.

    A stage finds the latter at the path that its argv has, relative to the trial as elsewhere to the job's folder.
    Raises `InputError` where the data set is absent.
    """
    label = ",z" if "name=selinux" in engine["SecurityOptions"] else ""
    found = {str(trial): {"bind": str(trial), "mode": f"rw{label}"}}
    for name, value in values.items():
        if name.partition(parameters.SEPARATOR)[2] not in FILES or not value:
            continue
        for place in (part.strip() for part in str(value).split(",")):
            source, target = folder / place, Path(os.path.normpath(trial / place))
            if source.exists():
                _mount_point(source, target, trial)
                found[str(source)] = {"bind": str(target), "mode": f"ro{label}"}
            elif name.endswith(desk.SOURCE) and "://" not in place:
                raise InputError(f"data set {source}: expected a file or folder, found none.", data.HOW_TO_GET)
    return found


def _mount_point(source: Path, target: Path, trial: Path) -> None:
    """Make the place for a bind within the trial; the engine would make it too, but as root."""
    if not target.is_relative_to(trial):
        return
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


def options(engine: Mapping[str, Any], trial: Path) -> dict[str, Any]:
    """How every stage's container runs, as docker's `run` arguments; `engine` is what `docker info` says."""
    # In a rootless engine the caller is root, and any other number is somebody else.
    user = "0:0" if "name=rootless" in engine["SecurityOptions"] else f"{os.getuid()}:{os.getgid()}"
    chosen: dict[str, Any] = {
        "entrypoint": "",  # an image's own would take the command for its arguments
        "user": user,
        "working_dir": str(trial),
        "read_only": True,
        "tmpfs": {"/tmp": ""},  # noqa: S108
        # As first process a stage would not be reached by SIGTERM before it listens; on Kubeflow it is not the first.
        "init": True,
        "environment": {name: os.environ[name] for name in ("LOG_LEVEL",) if name in os.environ},
    }
    if "nvidia" in engine["Runtimes"]:
        chosen["device_requests"] = [DeviceRequest(count=-1, capabilities=[["gpu"]])]
    return chosen


def lay_out(ir: Document, folders: Mapping[str, Path], trial: Path) -> None:
    """Move the outputs from the SDK's `folders`, by task, to where a desk's run has them, in place of earlier ones."""
    for task in ir["root"]["dag"]["tasks"].values():
        stage = task["taskInfo"]["name"]
        outputs = ir["components"][task["componentRef"]["name"]]["outputDefinitions"].get("artifacts", {})
        for name, entry in outputs.items():
            target = trial / "kfp" / "whole" / desk.output_path(stage, name, entry["artifactType"]["schemaTitle"])
            target.parent.mkdir(parents=True, exist_ok=True)
            (folders[stage] / name).rename(target)
    for folder in ("results", "artifacts"):
        shutil.rmtree(trial / folder, ignore_errors=True)
        (trial / "kfp" / "whole" / folder).rename(trial / folder)
    shutil.rmtree(trial / "kfp")


@contextlib.contextmanager
def _engine() -> Iterator[docker.DockerClient]:
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException as error:
        raise InputError(f"Docker engine: expected one that answers. {error}", MEND) from error
    with contextlib.closing(client):
        yield client


@contextlib.contextmanager
def alone(trial: Path) -> Iterator[None]:
    """Hold the trial's lock, which the system takes back however this process ends."""
    with (trial / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{trial}: expected no other run there, found one.", "Wait for it to end.") from error
        yield


@contextlib.contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Turn SIGTERM into `Stopped`, so that what is being done is ended in order."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Stopped

    earlier = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


@contextlib.contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """Keep in a file what the SDK says: our own lines say more, and its warnings that a laptop has no node pools."""
    with log.open("w") as file, contextlib.redirect_stdout(file), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

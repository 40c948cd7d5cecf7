"""A stage in its container: started, listened to, waited for, removed.

The KFP SDK's own function for that (2.17) lets the engine remove the container as soon as it ends, and takes one that
is gone before it has asked for the exit code as a success. Here the container stays until its exit code is known, and
never longer than this process.
"""

import codecs
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from docker import DockerClient
from docker.models.containers import Container
from kfp.local import docker_task_handler

from components.fer import executor
from components.fer.errors import FerflowError, Stopped
from pipeline import placement

LABEL = "ferflow.workspace"
"""label of the containers: the folder that they work in"""

GRACE = 60
"""seconds that a stage told to stop may take to save, before it is killed"""


class StageFailed(FerflowError):
    """A stage ended with another exit code than 0; it becomes this program's."""

    def __init__(self, exit_code: int, problem: str, mend: str) -> None:
        super().__init__(problem, mend)
        self.exit_code = exit_code


class End(NamedTuple):
    """How a container ended."""

    exit_code: int
    out_of_memory: bool
    """killed for needing more than its memory limit"""


def run(client: DockerClient, image: str, command: Sequence[str], logs: Sequence[TextIO], **options: Any) -> End:
    """Run a container to its end, its output written to all `logs` as it comes.

    Ctrl-C, and SIGTERM where it raises `Stopped`, reach the container as SIGTERM, and `GRACE` seconds later as SIGKILL.
    Raises `docker.errors.DockerException` where the engine refuses.
    """
    container = client.containers.create(image, list(command), **options)
    try:
        container.start()
        _listen(container, logs)
        exit_code = container.wait()["StatusCode"]
        container.reload()
        return End(exit_code, container.attrs["State"]["OOMKilled"])
    except (KeyboardInterrupt, Stopped):
        _tell(logs, f"stopping the stage, which has {GRACE} s to save what it has\n")
        container.stop(timeout=GRACE)
        raise
    finally:
        container.remove(force=True)


def _listen(container: Container, logs: Sequence[TextIO]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a chunk may end within a character
    for chunk in container.logs(stream=True, follow=True):
        _tell(logs, decoder.decode(chunk))


def _tell(logs: Sequence[TextIO], text: str) -> None:
    for log in logs:
        log.write(text)
        log.flush()


def remove_orphans(client: DockerClient, workspace: Path) -> None:
    """Remove containers of `workspace` whose `ferflow` was killed; the caller makes sure that no other one lives."""
    for container in client.containers.list(all=True, filters={"label": f"{LABEL}={workspace}"}):
        container.remove(force=True)


@contextmanager
def in_place_of_the_sdks(runner: "Runner") -> Iterator[None]:
    """Let the SDK's Docker runner start its containers by `runner`; it has no other way to be given one."""
    original = docker_task_handler.run_docker_container
    docker_task_handler.run_docker_container = runner
    try:
        yield
    finally:
        docker_task_handler.run_docker_container = original


@dataclass
class Runner:
    """Runs the stages of one run for the SDK, says when each starts and ends, and keeps their logs."""

    names: Mapping[str, str]
    """the graph's name of each stage by the one that the SDK gives its folder"""
    workspace: Path
    binds: Mapping[str, Mapping[str, str]]
    """what the containers see beside the SDK's pipeline root, as docker's `volumes`"""
    table: placement.Table
    memory: int
    """bytes that the engine has"""
    terminal: TextIO
    folders: dict[str, Path] = field(default_factory=dict)
    """where the SDK had each stage leave its outputs, by the graph's name"""

    def __call__(
        self, client: DockerClient, image: str, command: Sequence[str], volumes: Mapping[str, Any], **options: Any
    ) -> int:
        """Run one stage and return 0, the SDK's success. Raises `StageFailed`, so that the SDK retries nothing."""
        _, message = executor.split(command)
        assert message is not None, "every compiled argv has the option"
        folder = Path(message["outputs"]["outputFile"]).parent
        name = self.names[folder.name]
        place = f"{name} ({len(self.folders) + 1} of {len(self.names)})"
        self._say(f"{place} starts, {image}")
        log = self.workspace / "logs" / f"{name}.log"
        stage = self.table.stages[placement.component(command[2])]
        # Kubernetes gives no swap, and so memory and swap together are no more than memory.
        memory = min(int(placement.quantity(stage.memory.limit)), self.memory)
        limits = {"shm_size": int(placement.quantity(stage.shm)), "mem_limit": memory, "memswap_limit": memory}
        binds, labels = {**volumes, **self.binds}, {LABEL: str(self.workspace)}
        started = time.monotonic()
        with log.open("w") as file:
            end = run(client, image, command, (self.terminal, file), volumes=binds, labels=labels, **limits, **options)
        seconds = time.monotonic() - started
        if end.exit_code:
            self._say(f"{place} failed with exit code {end.exit_code} after {seconds:.1f} s")
            raise failure(name, end, memory, log)
        self._say(f"{place} done in {seconds:.1f} s")
        self.folders[name] = folder
        return 0

    def _say(self, text: str) -> None:
        self.terminal.write(f"{time.strftime('%H:%M:%S')}  {text}\n")
        self.terminal.flush()


def failure(name: str, end: End, memory: int, log: Path) -> StageFailed:
    """What a stage's end means for the person at the terminal; `memory` is the bytes that it could have."""
    where = f"Its log: {os.path.relpath(log)}"
    if end.out_of_memory:
        had = f"{memory / 2**30:.1f} GiB"
        problem = f"stage {name}: expected to need at most {had} of memory, was killed for more ({end.exit_code})."
        return StageFailed(end.exit_code, problem, f"infra/pools.yaml limits it, as on the cluster. {where}")
    problem = f"stage {name}: expected exit code 0, received {end.exit_code}. Its own message stands above."
    return StageFailed(end.exit_code, problem, where)

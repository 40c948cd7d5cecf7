"""Build the components' images with BuildKit, say what is in them, and push them to a registry."""

import contextlib
import json
import os
import re
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.container import IMAGE
from components.fer.errors import InputError, UsageError
from pipeline import images, repository, sbom
from pipeline.desk import ROOT

Accelerator = Literal["cpu", "cuda"]

BILLS = ROOT / "artifacts" / "sbom"

REGISTRY = re.compile(r"[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9._-]+)*")

ENGINE = (
    "Install Docker (https://docs.docker.com/engine/install) and start it; `docker info` says whether you may use it."
)

STEP = re.compile(r"#\d+ (\[(?!internal\]).*)")
"""A step of the Dockerfile in BuildKit's plain progress."""

LAST_LINES = 15
"""lines of a failed command that its error repeats"""

Say = Callable[[str], None]
"""Shows what is being done."""


class Built(NamedTuple):
    """An image in the engine."""

    name: str
    size: int
    """bytes, uncompressed, with the base"""
    packages: int
    """entries of its bill of materials"""
    seconds: float


def main(components: Sequence[str], registry: str | None, accelerator: Accelerator, base: str | None) -> None:
    """Build the images of `components` (none: the usual ones), print their sizes, and push them to a registry.

    The lock is written when all are pushed, or not at all. Raises `UsageError` for an unknown component or a registry
    that cannot be one, `InputError` where a Dockerfile.dockerignore is not up to date, or the engine is absent or
    cannot build or push.
    """
    if unknown := [name for name in components if name not in images.PACKAGES]:
        raise UsageError(f"component {unknown[0]}: expected one of {', '.join(images.PACKAGES)}.")
    if registry is not None and not REGISTRY.fullmatch(registry):
        raise UsageError(f"registry {registry}: expected HOST/PATH, such as europe-docker.pkg.dev/PROJECT/ferflow.")
    have_engine()
    if stale := [path for path, text in images.generated() if not path.is_file() or path.read_text() != text]:
        problem = f"{stale[0].relative_to(ROOT)}: expected the files that the stage imports, found others."
        raise InputError(problem, "ferflow compile")
    console = Console()
    built: dict[str, Built] = {}
    for component in components or images.USUAL:
        with _progress(console, component) as say:
            built[component] = build(component, accelerator, base, say)
    console.print(_table(built))
    if registry is not None:
        pushed = {}
        for component, image in built.items():
            with _progress(console, component) as say:
                pushed[component] = push(image.name, registry, say)
        images.write_lock(pushed)
        console.print(f"pushed, and wrote {images.LOCK.relative_to(ROOT)}; the graphs take it over by: ferflow compile")


def have_engine() -> None:
    """Raise `InputError` where there is no docker command, or no engine behind it."""
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise InputError("docker: expected the command, found none in PATH.", ENGINE) from error
    if answer.returncode:
        raise InputError(f"Docker engine: expected one that answers. {answer.stderr.strip()}", ENGINE)


def build(component: str, accelerator: Accelerator, base: str | None, say: Say) -> Built:
    """Build a component's image and write its bill of materials."""
    started = time.monotonic()
    name = IMAGE.format(stage=component, version=version("ferflow"))
    arguments = {"BASE": base, "ACCELERATOR": accelerator if "cuda" in images.requirements(component) else None}
    command = ["docker", "build", "--progress", "plain", "--file", str(images.dockerfile(component)), "--tag", name]
    for key, value in arguments.items():
        command += ["--build-arg", f"{key}={value}"] if value else []
    for key, value in labels(component).items():
        command += ["--label", f"org.opencontainers.image.{key}={value}"]
    if last := _follow([*command, str(ROOT)], say):
        mend = "Where the base image cannot be pulled, name another: --base IMAGE." if "load metadata" in last else ""
        raise InputError(f"image {name}: expected to build it, docker build failed:\n{last}", mend)
    say("bill of materials")
    found = inspect(name)
    bill = sbom.bill(name, name.partition(":")[0], found["Id"])
    BILLS.mkdir(parents=True, exist_ok=True)
    (BILLS / f"{component}.json").write_text(json.dumps(bill, indent=1) + "\n")
    return Built(name, found["Size"], len(bill["components"]), time.monotonic() - started)


def labels(component: str) -> Mapping[str, str]:
    """Labels of the Open Container Initiative's names: title, version, and the revision of what is in the image.

    The revision is the last commit that changed a file of the image, with `-dirty` for changes not committed yet. Other
    commits give the same image, and so the same digest: the results that Kubeflow has cached stay good.
    """
    files = [*images.inputs(component), images.dockerfile(component).relative_to(ROOT).as_posix()]
    found = {"title": f"ferflow {component}", "version": version("ferflow")}
    with contextlib.suppress(InputError):  # the sources without their repository make images too
        found["revision"] = repository.last_change(*files) + ("-dirty" if repository.dirty(*files) else "")
    return found


def push(name: str, registry: str, say: Say) -> str:
    """Push an image and return its name by digest."""
    target = f"{registry}/{name}"
    if last := _follow(["docker", "tag", name, target], say) or _follow(["docker", "push", target], say):
        mend = f"Log in where the registry asks for it: docker login {registry.partition('/')[0]}"
        raise InputError(f"image {target}: expected to push it, docker push failed:\n{last}", mend)
    repository = target.rpartition(":")[0]
    digests: list[str] = inspect(target)["RepoDigests"]
    return next(digest for digest in digests if digest.startswith(f"{repository}@"))


def _follow(command: Sequence[str], say: Say) -> str:
    """Run a docker command, showing its steps; nothing where it succeeds, else the last lines that it wrote."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}  # in Docker 20.10 not yet the default
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as process:
        assert process.stdout is not None, "a pipe"
        for line in process.stdout:
            last.append(line.rstrip())
            if step := STEP.match(line):
                say(step[1])
    return "\n".join(last) if process.returncode else ""


def inspect(name: str) -> Any:
    """What the engine knows of an image that it has."""
    command = ["docker", "image", "inspect", name]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]


@contextlib.contextmanager
def _progress(console: Console, component: str) -> Iterator[Say]:
    """Show the step that is being done: in place on a terminal, in a log a line each."""
    shown: set[str] = set()
    with console.status(component) as status:

        def say(step: str) -> None:
            line = Text(f"{component}  {step}", no_wrap=True, overflow="ellipsis")
            status.update(line)
            if not console.is_terminal and step not in shown:  # BuildKit names a step whenever it has news of it
                console.print(line)
            shown.add(step)

        yield say


def _table(built: Mapping[str, Built]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("image", "size", "packages", "built in"):
        table.add_column(heading, justify="left" if heading == "image" else "right", no_wrap=True)
    for image in built.values():
        table.add_row(image.name, f"{image.size / 1e6:,.0f} MB", str(image.packages), f"{image.seconds:.0f} s")
    return table

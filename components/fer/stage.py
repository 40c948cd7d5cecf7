"""The contract that every stage keeps: argv in, whole outputs or none out, an exit code that tells the truth.

A stage is a frozen `StageConfig` and a function that takes it. Fields marked `Input` or `Output` are artifacts; all
others are parameters. The same model is the command line (by tyro), the KFP component and the DVC stage.
"""

import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal, TypeVar

import tyro
from pydantic import BaseModel, ConfigDict

from components.fer.errors import FerflowError, InputError, Stopped

ArtifactType = Literal["Artifact", "Dataset", "Model", "Metrics", "HTML"]


@dataclass(frozen=True)
class Input:
    """Marks a field as an input artifact of a KFP type."""

    type: ArtifactType = "Artifact"


@dataclass(frozen=True)
class Output:
    """Marks a field as an output artifact of a KFP type.

    The field's name carries the file's suffix (`metrics_json` is written to `metrics.json`), so that a reader of the
    compiled graph, who sees names alone, knows it too.
    """

    type: ArtifactType = "Artifact"


def _boolean(text: str) -> bool:
    """Read the spellings of a boolean that DVC (true), KFP (true) and Python (True) write."""
    match text.lower():
        case "true":
            return True
        case "false":
            return False
    raise ValueError(f"expected true or false, received {text!r}")


Flag = Annotated[
    bool,
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="{true,false}",
        instance_from_str=lambda args: _boolean(args[0]),
        is_instance=lambda value: isinstance(value, bool),
        str_from_instance=lambda value: [str(value).lower()],
    ),
]
"""A boolean given as a value (`--flip true`): a parameter has one form in argv, in `params.yaml` and in KFP."""


class StageConfig(BaseModel):
    """Base of the stages' configurations: frozen, strict about names, made from argv alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def marked(cls, mark: type[Input] | type[Output]) -> dict[str, ArtifactType]:
        """Names of the fields that carry `mark`, with their artifact types, in the order of declaration."""
        return {
            name: entry.type
            for name, field in cls.model_fields.items()
            for entry in field.metadata
            if isinstance(entry, mark)
        }


Config = TypeVar("Config", bound=StageConfig)


def parse(config: type[Config], argv: Sequence[str] | None = None) -> Config:
    """Read `argv` (default: the process' own) into a configuration; exit 2 with a message where that cannot be."""
    package = config.__module__.removesuffix(".config")
    return tyro.cli(config, args=argv, prog=f"python -m {package}", description=config.__doc__)


@contextmanager
def outputs(config: Config) -> Iterator[Config]:
    """Give a copy of `config` whose outputs have temporary names; rename them when all exist and are not empty.

    Whatever goes wrong before that leaves no partial output and every earlier output as it was.
    Raises `InputError` where the stage wrote an output not at all or empty.
    """
    final = {name: getattr(config, name) for name in config.marked(Output)}
    staging: dict[Path, Path] = {}
    try:
        for path in final.values():
            if path.parent not in staging:
                path.parent.mkdir(parents=True, exist_ok=True)
                staging[path.parent] = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=path.parent))
        temporary = {name: staging[path.parent] / path.name for name, path in final.items()}
        yield config.model_copy(update=temporary)
        for name, path in temporary.items():
            if not _filled(path):
                raise InputError(f"output {name} ({final[name]}): expected a file or folder with content, found none.")
        for name, path in temporary.items():
            _replace(path, final[name])
    finally:
        for folder in staging.values():
            shutil.rmtree(folder, ignore_errors=True)


def _filled(path: Path) -> bool:
    if path.is_dir():
        return any(_filled(child) for child in path.iterdir())
    return path.is_file() and path.stat().st_size > 0


def _replace(source: Path, target: Path) -> None:
    """Rename `source` to `target`; an earlier folder there is moved aside first, since rename cannot replace one."""
    if target.is_dir() and not target.is_symlink():
        target.rename(source.parent / f"{target.name}.earlier")
    elif source.is_dir():
        target.unlink(missing_ok=True)
    source.replace(target)


def run(main: Callable[[Config], None], config: type[Config], argv: Sequence[str] | None = None) -> None:
    """Run a stage as a process: parse argv, call `main`, turn the product's errors into a message and an exit code."""
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(message)s", stream=sys.stderr, force=True)
    signal.signal(signal.SIGTERM, _stop)
    try:
        main(parse(config, argv))
    except FerflowError as error:
        logging.getLogger("ferflow").error("%s", error)
        sys.exit(error.exit_code)


def _stop(signum: int, frame: FrameType | None) -> None:
    raise Stopped("The stage was told to stop (SIGTERM) and wrote nothing.", "Start the same command again.")

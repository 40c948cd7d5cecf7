"""The contract that every stage keeps: argv in, whole outputs or none out, an exit code that tells the truth.

A stage is a frozen `StageConfig` and a function that takes it. Fields marked `Input` or `Output` are artifacts; all
others are parameters. The same model is the command line (by tyro), the KFP component and the DVC stage.
"""

import atexit
import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal, NoReturn, TypeVar

import tyro
from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from components.fer import executor, unfinished
from components.fer.errors import FerflowError, InputError, Stopped, TemporaryError, UsageError

ArtifactType = Literal["Artifact", "Dataset", "Model", "Metrics", "HTML", "String"]
"""KFP's artifact types; a `String` is no artifact to KFP but a parameter, on which a graph can decide."""


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

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)

    @classmethod
    def marked(cls, mark: type[Input] | type[Output]) -> dict[str, ArtifactType]:
        """Names of the fields that carry `mark`, with their artifact types, in the order of declaration."""
        return {
            name: entry.type
            for name, field in cls.model_fields.items()
            for entry in field.metadata
            if isinstance(entry, mark)
        }

    @classmethod
    def parameters(cls) -> dict[str, FieldInfo]:
        """The fields that are no artifacts, in the order of declaration."""
        artifacts = cls.marked(Input) | cls.marked(Output)
        return {name: field for name, field in cls.model_fields.items() if name not in artifacts}


Config = TypeVar("Config", bound=StageConfig)


def parse(config: type[Config], argv: Sequence[str] | None = None) -> Config:
    """Read `argv` (default: the process' own) into a configuration; exit 2 with a message where that cannot be."""
    package = config.__module__.removesuffix(".config")
    return tyro.cli(config, args=argv, prog=f"python -m {package}", description=config.__doc__)


@contextmanager
def outputs(config: Config) -> Iterator[Config]:
    """Give a copy of `config` whose outputs have temporary names; rename them when all exist and are not empty.

    Whatever goes wrong before that leaves no partial output and every earlier output as it was.
    Raises `InputError` where the stage wrote an output not at all or empty, `UsageError` where outputs share a place.
    """
    final = {name: getattr(config, name) for name in config.marked(Output)}
    _check_apart(final)
    staging: dict[Path, Path] = {}
    held = ExitStack()
    try:
        for path in final.values():
            if path.parent not in staging:
                path.parent.mkdir(parents=True, exist_ok=True)
                staging[path.parent] = held.enter_context(unfinished.folder(path.parent))
        temporary = {name: staging[path.parent] / path.name for name, path in final.items()}
        yield config.model_copy(update=temporary)
        for name, path in temporary.items():
            if not _filled(path):
                raise InputError(f"output {name} ({final[name]}): expected a file or folder with content, found none.")
        with _unstoppable():
            for name, path in temporary.items():
                _replace(path, final[name])
    finally:
        with _unstoppable():
            held.close()


def _check_apart(final: dict[str, Path]) -> None:
    """Refuse an output at the place of another or inside of it: replacing one would lose the other."""
    places = [(path.absolute(), name) for name, path in final.items()]
    for place, name in places:
        for other, earlier in places:
            if name != earlier and place.is_relative_to(other):
                raise UsageError(f"output {name} ({place}): expected a place apart from output {earlier} ({other}).")


@contextmanager
def _unstoppable() -> Iterator[None]:
    """Ignore SIGTERM and Ctrl-C for a moment, so that renames are all done or none; the stage then ends by itself."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled in the main thread alone
        return
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether SIGTERM has arrived: inside, work stops where it is good to stop.

    A second SIGTERM stops the stage at once.
    """
    asked: list[int] = []

    def note(signum: int, frame: FrameType | None) -> None:
        if asked:
            raise Stopped
        asked.append(signum)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # signals are handled in the main thread alone
        return
    handler = signal.signal(signal.SIGTERM, note)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGTERM, handler)


def _filled(path: Path) -> bool:
    if path.is_dir():
        return any(_filled(child) for child in path.iterdir())
    return path.is_file() and path.stat().st_size > 0


def _replace(source: Path, target: Path) -> None:
    """Rename `source` to `target`; an earlier folder there is moved aside first, since rename cannot replace one."""
    if target.is_dir() and not target.is_symlink():
        aside = source.parent / f"{target.name}.earlier"
        target.rename(aside)
        try:
            source.replace(target)
        except OSError:
            aside.rename(target)
            raise
        return
    if source.is_dir():
        target.unlink(missing_ok=True)
    source.replace(target)


def run(main: Callable[[Config], None], config: type[Config], argv: Sequence[str] | None = None) -> None:
    """Run a stage as a process: parse argv, call `main`, turn what a user can cause into a message and an exit code.

    Where Kubeflow started the process, it is told of the outputs at the end (components/fer/executor.py).
    A traceback is left to faults of the program itself; LOG_LEVEL=DEBUG shows one for the others too.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr, force=True)
    told = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal told
        told = True
        raise Stopped

    signal.signal(signal.SIGTERM, stop)
    # Python takes seconds to clear away TensorFlow; by default a signal then would still make another exit code.
    atexit.register(signal.signal, signal.SIGTERM, signal.SIG_IGN)
    try:
        logging.getLogger().setLevel(_log_level(os.environ.get("LOG_LEVEL", "INFO")))
        words, message = executor.split(sys.argv[1:] if argv is None else argv)
        parsed = parse(config, words)
        main(parsed)
        if message is not None:
            executor.report(message, {name: getattr(parsed, name) for name in config.marked(Output)})
    except KeyboardInterrupt:
        _exit(128 + signal.SIGINT, "Interrupted; nothing was written.\nStart the same command again.")
    except Stopped as error:
        _exit(error.exit_code, str(error))
    except Exception as error:
        # A library that is being imported when SIGTERM comes makes an error of its own of any exception.
        fault = Stopped() if told else _fault(error)
        if fault is None:
            raise
        _exit(fault.exit_code, str(fault))


def _log_level(name: str) -> str:
    names = logging.getLevelNamesMapping()
    if name.upper() not in names:
        raise UsageError(f"LOG_LEVEL: expected one of {', '.join(names)}, received {name}.")
    return name.upper()


LASTING = {
    *(errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY),
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.EBUSY, errno.EXDEV),
}
"""Faults of a path or its permissions, which a retry finds as they were; others are the storage's or the network's."""


OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "OOM when allocating")
"""Words of TensorFlow's and JAX's errors, which have no class in common."""


def _fault(error: Exception) -> FerflowError | None:
    """What a user can cause or meet; none for a fault of the program itself."""
    match error:
        case FerflowError():
            return error
        case MemoryError():
            return InputError(f"out of memory ({error}).", "Give the stage more memory.")
        case Exception() if any(words in str(error) for words in OUT_OF_MEMORY):
            first = str(error).strip().splitlines()[0]
            return InputError(
                f"out of the device's memory ({first}).", "Lower batch_size or image_size in params.yaml."
            )
        case OSError():
            problem = ": ".join(str(part) for part in (error.filename, error.strerror or error) if part is not None)
            if error.errno in LASTING:
                return InputError(f"{problem}.", "Correct the path or its permissions.")
            return TemporaryError(
                f"{problem}.", "See to the storage or the network, then start the same command again."
            )
    return None


def _exit(code: int, message: str) -> NoReturn:
    log = logging.getLogger("ferflow")
    log.error("%s", message)
    log.debug("Where it came from:", exc_info=True)
    sys.exit(code)

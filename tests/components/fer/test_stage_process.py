"""A stage as a process: what a user can cause is a message and an exit code, never a traceback."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.fer import stage
from components.fer.errors import InputError, Stopped, UsageError
from tests.components.fer.test_stage import ARGV, NEW, OLD, Config, tree, write


@pytest.fixture
def earlier(tmp_path: Path) -> None:
    """Leave what an earlier run of the process wrote."""
    out = tmp_path / "out"
    out.mkdir()
    write(Config(source=tmp_path, mirror=True, table_csv=out / "table.csv", pages=out / "pages"), "old")


@pytest.fixture
def signals() -> Iterator[None]:
    """Put the process' SIGTERM handler back."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


DEVICE = "Lower batch_size or image_size in params.yaml."
RETRY = "See to the storage or the network, then start the same command again."
PATHS = "Correct the path or its permissions."


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("expected a, received b.", "Do c."), 1, "expected a, received b.\nDo c."),
        (UsageError("no such thing."), 2, "no such thing."),
        (Stopped(), 75, "The stage was told to stop (SIGTERM) and wrote nothing.\nStart the same command again."),
        (FileNotFoundError(errno.ENOENT, "No such file", "a/b"), 1, f"a/b: No such file.\n{PATHS}"),
        (PermissionError(errno.EACCES, "Permission denied", "a"), 1, f"a: Permission denied.\n{PATHS}"),
        (OSError(errno.EROFS, "Read-only file system", "a"), 1, f"a: Read-only file system.\n{PATHS}"),
        (OSError(errno.ENOSPC, "No space left on device"), 75, f"No space left on device.\n{RETRY}"),
        (OSError(errno.EIO, "Input/output error", "a"), 75, f"a: Input/output error.\n{RETRY}"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset"), 75, f"Connection reset.\n{RETRY}"),
        (TimeoutError("timed out"), 75, f"timed out.\n{RETRY}"),
        (
            MemoryError("Unable to allocate 9 GiB"),
            1,
            "out of memory (Unable to allocate 9 GiB).\nGive the stage more memory.",
        ),
        (
            RuntimeError("RESOURCE_EXHAUSTED: Out of memory.\nand more"),
            1,
            "out of the device's memory (RESOURCE_EXHAUSTED: Out of memory.).\n" + DEVICE,
        ),
        (KeyboardInterrupt(), 130, "Interrupted; nothing was written.\nStart the same command again."),
    ],
)
def test_what_a_user_can_cause_is_a_message_and_an_exit_code(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(config: Config) -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        stage.run(main, Config, ARGV)
    assert caught.value.code == code
    assert capsys.readouterr().err == f"{message}\n"


@pytest.mark.usefixtures("signals")
def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    def main(config: Config) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stage.run(main, Config, ARGV)


@pytest.mark.usefixtures("signals")
def test_sigterm_is_no_fault_whatever_a_library_makes_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """As TensorFlow's modules do when it arrives while they are imported."""

    def main(config: Config) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except BaseException as error:
            raise ImportError("initialization failed") from error

    with pytest.raises(SystemExit) as caught:
        stage.run(main, Config, ARGV)
    assert caught.value.code == 75
    assert capsys.readouterr().err == f"{Stopped()}\n"


@pytest.mark.usefixtures("signals")
def test_debug_shows_where_an_error_came_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def main(config: Config) -> None:
        raise InputError("expected a.")

    monkeypatch.setenv("LOG_LEVEL", "debug")
    with pytest.raises(SystemExit):
        stage.run(main, Config, ARGV)
    assert "Traceback" in capsys.readouterr().err


SCRIPT = """
import sys, time
from pathlib import Path
from components.fer import stage
from tests.components.fer.test_stage import Config, write

def main(config):
    with stage.outputs(config) as out:
        write(out, "new")
        if config.source.name == "sleep":
            print("working", flush=True)
            time.sleep(60)
        Path(config.source).read_text()

stage.run(main, Config)
"""


def process(folder: Path, source: str, *more: str, **environment: str) -> subprocess.Popen[str]:
    (folder / "in").write_text("content")
    argv = [source if word == "in" else word for word in ARGV]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *argv, *more],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("earlier")
@pytest.mark.parametrize(
    ("source", "more", "environment", "code", "said"),
    [
        ("in", [], {}, 0, ""),
        ("absent", [], {}, 1, f"absent: No such file or directory.\n{PATHS}\n"),
        ("in/side", [], {}, 1, f"in/side: Not a directory.\n{PATHS}\n"),
        ("in", ["--unknown", "1"], {}, 2, "--unknown"),
        ("in", ["--mirror", "maybe"], {}, 2, "expected true or false, received 'maybe'"),
        ("in", [], {"LOG_LEVEL": "loud"}, 2, "LOG_LEVEL: expected one of CRITICAL, FATAL, ERROR"),
    ],
)
def test_a_process_ends_with_the_exit_code_of_the_contract(
    source: str, more: list[str], environment: dict[str, str], code: int, said: str, tmp_path: Path
) -> None:
    done = process(tmp_path, source, *more, **environment)
    _, error = done.communicate(timeout=60)
    assert done.returncode == code, error
    assert said in error
    assert "Traceback" not in error
    assert tree(tmp_path) == {"in": "content", **(NEW if code == 0 else OLD)}


@pytest.mark.usefixtures("earlier")
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (
            signal.SIGTERM,
            75,
            "The stage was told to stop (SIGTERM) and wrote nothing.\nStart the same command again.\n",
        ),
        (signal.SIGINT, 130, "Interrupted; nothing was written.\nStart the same command again.\n"),
    ],
)
def test_a_process_that_is_stopped_leaves_nothing_behind(number: int, code: int, said: str, tmp_path: Path) -> None:
    running = process(tmp_path, "sleep")
    assert running.stdout is not None
    assert running.stdout.readline() == "working\n"
    started = time.monotonic()
    running.send_signal(number)
    _, error = running.communicate(timeout=30)
    assert (running.returncode, error) == (code, said)
    assert time.monotonic() - started < 20
    assert tree(tmp_path) == {"in": "content", **OLD}
    assert len(list((tmp_path / "out").iterdir())) == 2


SLOW_END = """
import os, time

class Slow:
    def __del__(self, say=os.write, sleep=time.sleep):
        say(1, b"ending\\n")
        sleep(1)

slow = Slow()
"""


def test_a_signal_after_the_work_does_not_change_the_exit_code(tmp_path: Path) -> None:
    """While Python takes down modules, which for TensorFlow's takes seconds."""
    (tmp_path / "in").write_text("content")
    command = [sys.executable, "-c", SLOW_END + SCRIPT, *ARGV]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ending\n"
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0
    assert tree(tmp_path) == {"in": "content", **NEW}

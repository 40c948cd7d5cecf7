"""A process of its own that finds faces in photos: whatever is in a photo, it takes so much time and memory, no more.

Pictures are unpacked by native code, and a small file can be made to keep it busy for minutes, or to break it. Threads
cannot be stopped; this process is, and the next photo has a new one. It never keeps what else the server does waiting.

It is started as `python -m components.serve.finder`. On stdin comes each photo, with its length before it; on stdout
goes what was found: a letter, a length, and a face's pixels or, in UTF-8, what is wrong.
"""

import contextlib
import os
import resource
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO, Self

import numpy as np

from components.fer.errors import InputError
from components.serve.errors import NoFace
from components.serve.tensors import SHAPE, Images

MEMORY = 2**30
"""Bytes that it may have: 0.1 GB for itself, and 0.8 GB for a WebP picture of as many pixels as may be."""

START_SECONDS = 60.0
"""to load its libraries, which takes one or two"""

NICENESS = 10
"""An image of 48 x 48 pixels is answered in a hundredth of a photo's time, and goes first."""

LENGTH, HEAD = struct.Struct("<I"), struct.Struct("<cI")

READY, FACE, NO_FACE, WRONG = b"R", b"F", b"N", b"W"

LONGEST = 2**16
"""bytes of an answer"""


class Finder:
    """Finds faces, one photo at a time; its process begins with the first, and anew after one that ended it."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is the time for a photo."""
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, with whatever it does."""
        if self._process is not None:
            _ended(self._process)

    def face(self, photo: bytes) -> Images:
        """Find the largest face in a picture's file: uint8 (48, 48, 1); called by one thread.

        Raises `InputError` as `photo.face` does, and where that takes too long or ends the process.
        """
        process = self._running()
        begun = time.monotonic()
        letter, content = _asked(process, photo, self._seconds)
        if letter == FACE and len(content) == np.prod(SHAPE):
            return np.frombuffer(content, np.uint8).reshape(SHAPE)
        if letter in (NO_FACE, WRONG):
            raise (NoFace if letter == NO_FACE else InputError)(content.decode(errors="replace"))
        took = time.monotonic() - begun
        code = _ended(process)
        if took >= self._seconds:
            problem = f"photo: expected one in which a face is found within {self._seconds:g} s, received a slower one."
        else:
            problem = f"photo: expected a whole picture, received one that broke what reads it ({code})."
        raise InputError(problem, "Save it again as a JPEG, and smaller.")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            _ended(self._process)
            self._process = None
        self._process = self._process or _started()
        return self._process


def _started() -> subprocess.Popen[bytes]:
    """Start the process and wait until it is ready."""
    # One thread for NumPy: its stacks are memory, and there is one for each of a large machine's cores.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "components.serve.finder"]
    # In a group of its own, Ctrl-C is not told to it: the server finishes what has arrived.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, process_group=0)
    assert process.stdout is not None
    with _ends_after(START_SECONDS, process):
        letter, _ = _answer(process.stdout)
    if letter != READY:
        raise RuntimeError(f"the finder of faces does not start: it ended with {_ended(process)}")
    return process


def _asked(process: subprocess.Popen[bytes], photo: bytes, seconds: float) -> tuple[bytes, bytes]:
    """Let the process look at a photo: the letter and the content of its answer, empty where it gave none."""
    assert process.stdin is not None
    assert process.stdout is not None
    with _ends_after(seconds, process), contextlib.suppress(OSError):
        process.stdin.write(LENGTH.pack(len(photo)))
        process.stdin.write(photo)
        process.stdin.flush()
        return _answer(process.stdout)
    return b"", b""


def _answer(stdout: IO[bytes]) -> tuple[bytes, bytes]:
    head = stdout.read(HEAD.size)
    letter, size = HEAD.unpack(head) if len(head) == HEAD.size else (b"", 0)
    content = stdout.read(min(size, LONGEST))
    return (letter, content) if len(content) == size else (b"", b"")


@contextlib.contextmanager
def _ends_after(seconds: float, process: subprocess.Popen[bytes]) -> Iterator[None]:
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _ended(process: subprocess.Popen[bytes]) -> int:
    """End the process: its exit code, negative for a signal."""
    process.kill()
    with contextlib.suppress(OSError), process:  # closes its pipes and waits for it
        pass
    return process.returncode


def main() -> None:
    """Answer photos until stdin ends."""
    from components.serve import photo  # with its libraries, in this process alone

    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library may print is no answer
    photo.detector()

    def found(content: bytes) -> tuple[bytes, bytes]:
        try:
            return FACE, photo.face(content).tobytes()
        except NoFace as error:
            return NO_FACE, str(error).encode()
        except InputError as error:
            return WRONG, str(error).encode()

    letter, answer = READY, b""
    with contextlib.suppress(BrokenPipeError):  # the server is gone
        while True:
            answers.write(HEAD.pack(letter, len(answer)) + answer)
            answers.flush()
            head = sys.stdin.buffer.read(LENGTH.size)
            if len(head) < LENGTH.size:
                return
            letter, answer = found(sys.stdin.buffer.read(LENGTH.unpack(head)[0]))


if __name__ == "__main__":
    main()

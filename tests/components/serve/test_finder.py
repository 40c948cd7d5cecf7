"""A process of its own finds faces; a photo that it does not stand costs that photo, and no other."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.fer.errors import InputError
from components.serve import photo as found_here
from components.serve.errors import NoFace
from components.serve.finder import MEMORY, Finder
from tests.components.serve.bombs import Colours, blank, many_scans
from tests.components.serve.photos import photo, written
from tests.components.serve.running import children, memory

pytestmark = pytest.mark.slow

SMALL = written(Image.linear_gradient("L").resize((48, 48)))


@pytest.fixture
def finder() -> Iterator[Finder]:
    with Finder(seconds=60) as finder:
        yield finder


def process_id() -> int:
    """Of the finder's process; other tests may have left processes of their own."""
    (found,) = (
        child
        for child in children(os.getpid())
        if b"components.serve.finder" in Path(f"/proc/{child}/cmdline").read_bytes()
    )
    return found


def test_it_finds_what_is_found_in_this_process(finder: Finder) -> None:
    content = written(photo())
    np.testing.assert_array_equal(finder.face(content), found_here.face(content))


def test_it_says_what_is_said_in_this_process(finder: Finder) -> None:
    for content, kind in ((written(Image.new("L", (300, 200))), NoFace), (b"no picture", InputError)):
        with pytest.raises(kind) as here:
            found_here.face(content)
        with pytest.raises(kind) as there:
            finder.face(content)
        assert (type(there.value), str(there.value)) == (type(here.value), str(here.value))


def test_a_photo_that_takes_too_long_is_given_up_and_the_next_is_answered() -> None:
    with Finder(seconds=1) as finder:
        finder.face(SMALL)
        before = process_id()
        with pytest.raises(
            InputError, match=r"^photo: expected one in which a face is found within 1 s, received a slow"
        ):
            finder.face(many_scans(7000, 34))
        assert finder.face(SMALL).shape == (48, 48, 1)
        assert process_id() != before


def test_a_photo_that_ends_the_process_is_refused_and_the_next_is_answered(finder: Finder) -> None:
    finder.face(SMALL)
    ends = threading.Timer(0.5, os.kill, (process_id(), signal.SIGSEGV))
    ends.start()
    with pytest.raises(
        InputError, match=r"^photo: expected a whole picture, received one that broke what reads it \(-11"
    ):
        finder.face(many_scans(7000, 34))
    assert finder.face(SMALL).shape == (48, 48, 1)


def test_a_process_that_ended_between_two_photos_is_started_again(finder: Finder) -> None:
    finder.face(SMALL)
    os.kill(process_id(), signal.SIGKILL)
    time.sleep(0.5)
    assert finder.face(SMALL).shape == (48, 48, 1)


@pytest.mark.parametrize("colours", ["L16", "RGBA"])
def test_the_largest_picture_takes_little_more_memory_than_its_pixels(finder: Finder, colours: Colours) -> None:
    """Of 50 megapixels, 4 bytes each at most; a number of 8 bytes for each would be 384 MiB more."""
    with pytest.raises(NoFace):
        finder.face(blank(8192, 6144, colours))
    assert memory(process_id(), "VmHWM") < 400 * 2**20


def test_its_memory_is_limited(finder: Finder) -> None:
    finder.face(SMALL)
    limits = Path(f"/proc/{process_id()}/limits").read_text()
    (line,) = (line for line in limits.splitlines() if line.startswith("Max data size"))
    assert line.split()[3] == str(MEMORY)


def test_it_ends_with_its_finder() -> None:
    with Finder(seconds=60) as finder:
        finder.face(SMALL)
        known = process_id()
    end = time.monotonic() + 60
    while Path(f"/proc/{known}").exists() and "State:\tZ" not in Path(f"/proc/{known}/status").read_text():
        assert time.monotonic() < end, "goes on"
        time.sleep(0.05)

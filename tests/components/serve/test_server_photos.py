"""Photos over HTTP, found as the server finds them: those that are made to do harm do none to other requests."""

import base64
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from components.serve import photo as found_here
from tests.components.serve.bombs import Colours, blank, many_scans, noise
from tests.components.serve.made_server import probabilities
from tests.components.serve.photos import photo, written
from tests.components.serve.running import FACE, PATIENCE, PREDICT, Reply, Running, children, memory, running

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("goes_on")]


POD = 2 * 2**30
"""bytes of memory that the cluster gives the server (infra/kubernetes/components/serving/served.yaml)"""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("--real-photos", "--limits.photo-seconds=60", "--limits.photo-queue=4") as server:
        yield server


def asked(*photos: bytes) -> Mapping[str, object]:
    return {"instances": [{"b64": base64.b64encode(one).decode()} for one in photos]}


def at_once(threads: ThreadPoolExecutor, server: Running, content: bytes, count: int) -> list[Future[Reply]]:
    """Ask for one photo so many times, and wait until all of them are with the server."""
    found = [threads.submit(server.post, PREDICT, asked(content)) for _ in range(count)]
    end = time.monotonic() + PATIENCE
    while f"ferflow_requests_present {count}.0".encode() not in server.get("/metrics").content:
        assert time.monotonic() < end, "never there"
        assert not all(one.done() for one in found), [one.result() for one in found]
        time.sleep(0.05)
    return found


def test_faces_are_found_in_photos_beside_pixels(server: Running) -> None:
    content = written(photo(), "JPEG")
    instances = [FACE[0].tolist(), *asked(content, written(photo()))["instances"]]  # type: ignore[misc]
    reply = server.post(PREDICT, {"instances": instances})
    images = np.stack([FACE[0], found_here.face(content), found_here.face(written(photo()))])
    np.testing.assert_allclose(np.array(reply.json["predictions"], np.float32), probabilities(images), atol=1e-6)


@pytest.mark.parametrize("colours", ["L16", "RGBA"])
def test_the_largest_pictures_at_once_stay_within_the_pods_memory(server: Running, colours: Colours) -> None:
    with ThreadPoolExecutor(4) as threads:
        replies = [one.result() for one in at_once(threads, server, blank(8192, 6144, colours), 4)]
    assert {reply.status for reply in replies} == {422}
    pid = server.process.pid
    assert (
        sum(memory(one, "VmHWM") for one in (pid, *children(pid))) < POD / 2
    )  # the rest is for the model, which is none here, and for bodies


@pytest.mark.parametrize("content", [blank(8192, 6145, "L16"), many_scans(7000, 300)], ids=["pixels", "scans"])
def test_more_pixels_or_scans_than_may_be_are_refused(server: Running, content: bytes) -> None:
    reply = server.post(PREDICT, asked(content))
    assert reply.status == 400
    assert reply.json["error"].startswith("instances[0]: photo: expected a ")


@pytest.mark.parametrize("content", [noise(1024), many_scans(4000, 34)], ids=["noise", "scans"])
def test_pixels_are_answered_while_photos_take_long(server: Running, content: bytes) -> None:
    """As many as may wait, so that one photo more is refused; pixels need no place among them."""
    with ThreadPoolExecutor(4) as threads:
        slow = at_once(threads, server, content, 4)
        server.infer(FACE)
        refused = server.post(PREDICT, asked(content))
        assert not all(one.done() for one in slow), "it was not slow"
        assert {one.result().status for one in slow} == {422}
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert refused.json["error"] == "4 requests with photos are waiting, as many as may; try again in a second."


def test_a_photo_that_takes_too_long_is_refused_and_the_next_is_answered() -> None:
    with running("--real-photos", "--limits.photo-seconds=1") as server:
        reply = server.post(PREDICT, asked(many_scans(7000, 34)))
        assert (reply.status, reply.json["error"]) == (
            400,
            "instances[0]: photo: expected one in which a face is found within 1 s, received a slower one.",
        )
        assert server.post(PREDICT, asked(written(photo().convert("L").resize((48, 48))))).status == 200


def test_told_to_stop_it_waits_for_no_photo_longer_than_its_grace() -> None:
    limits = ("--limits.drain-seconds=0", "--limits.grace-seconds=1", "--limits.photo-seconds=600")
    with running("--real-photos", *limits) as server, ThreadPoolExecutor(4) as threads:
        found = at_once(threads, server, noise(1024), 4)
        code, written = server.stop()
        assert code == 0, written
        assert not any(one.exception() is None and one.result().status == 200 for one in found)

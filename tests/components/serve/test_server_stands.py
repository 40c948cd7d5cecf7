"""Slow clients, vanishing clients, crowds and SIGTERM: others are answered, memory stays bounded, the end is clean."""

import contextlib
import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.components.serve.running import FACE, INFER, PATIENCE, Reply, Running, running, tensor

BODY = json.dumps(tensor(FACE)).encode()
HEAD = f"POST {INFER} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
SLOW_REQUEST = HEAD.encode() + BODY

SECONDS = 2.0
"""that the server gives for headers, and for bodies"""

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("goes_on")]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    limits = {"header-seconds": SECONDS, "body-seconds": SECONDS, "connections": 50}
    with running(*(f"--limits.{name}={value}" for name, value in limits.items())) as server:
        server.infer(FACE)
        yield server


def dribbled(client: socket.socket, content: bytes) -> bytes:
    """Send a byte every tenth of a second until an answer comes: the answer."""
    client.settimeout(0.1)
    end = time.monotonic() + PATIENCE
    for byte in content:
        assert time.monotonic() < end, "never cut off"
        with contextlib.suppress(TimeoutError):
            client.sendall(bytes([byte]))
            return client.recv(4096)
    raise AssertionError("all of it was taken")


@pytest.mark.parametrize("sent_at_once", [0, len(HEAD)], ids=["headers", "body"])
def test_who_dribbles_is_cut_off_while_others_are_answered(server: Running, sent_at_once: int) -> None:
    clients = [server.connect() for _ in range(10)]
    with contextlib.ExitStack() as held, ThreadPoolExecutor(len(clients)) as threads:
        for client in clients:
            held.enter_context(client).sendall(SLOW_REQUEST[:sent_at_once])
        slow = [threads.submit(dribbled, client, SLOW_REQUEST[sent_at_once:]) for client in clients]
        answered = 0
        while not all(one.done() for one in slow):
            server.infer(FACE)
            answered += 1
        assert answered > 0
        assert all(one.result().startswith(b"HTTP/1.1 408 ") for one in slow)


def test_who_says_nothing_is_cut_off(server: Running) -> None:
    with server.connect() as client:
        assert client.recv(4096).startswith(b"HTTP/1.1 408 ")
        assert client.recv(4096) == b""


def test_a_second_request_on_a_connection_has_the_same_time(server: Running) -> None:
    with server.connect() as client:
        client.sendall(b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        answer = b""
        while b'{"live":true}' not in answer:
            answer += client.recv(4096)
        assert dribbled(client, SLOW_REQUEST).startswith(b"HTTP/1.1 408 ")


def test_who_takes_no_answers_is_cut_off(server: Running) -> None:
    """One that asks for metrics again and again, and never reads, until the answers fill all buffers."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", server.port))
        before = server.memory()
        with pytest.raises(OSError, match=r"reset|pipe"):
            client.sendall(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n" * 200_000)
    assert server.memory() - before < 50 * 2**20


def test_clients_that_hang_up_are_forgotten(server: Running) -> None:
    """In the headers, in the body, and while their answer is made."""
    before = server.memory()
    for end in (10, len(HEAD), len(HEAD) + 100, len(SLOW_REQUEST)):
        for _ in range(25):
            with server.connect() as client:
                client.sendall(SLOW_REQUEST[:end])
    server.infer(FACE)
    assert server.memory() - before < 50 * 2**20


@pytest.mark.parametrize("sent", [b"", HEAD.encode()], ids=["nothing", "headers"])
def test_a_crowd_that_ends_no_request_does_not_keep_others_out(server: Running, sent: bytes) -> None:
    """Of more connections than may be open, those go whose request is longest not whole."""
    with contextlib.ExitStack() as held:
        for _ in range(200):
            held.enter_context(server.connect()).sendall(sent)
        started = time.monotonic()
        assert server.infer(FACE).shape == (1, 7)
        assert time.monotonic() - started < PATIENCE


def test_many_large_bodies_at_once_stay_within_memory(server: Running) -> None:
    """Bodies of 8 MB that nobody ends: as many as the queue has are held, others are refused."""
    before = server.memory()
    head = f"POST {INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: {8 * 2**20}\r\n\r\n".encode()

    def send() -> bytes:
        with server.connect() as client, contextlib.suppress(ConnectionError):
            client.sendall(head + b" " * (8 * 2**20 - 1))
            return client.recv(4096)
        return b""

    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda _: send(), range(40)))
    assert {answer[:12] for answer in answers} <= {b"HTTP/1.1 408", b"HTTP/1.1 503", b""}
    assert server.memory() - before < 2 * 32 * 8 * 2**20 + 50 * 2**20


def together(count: int, ask: Callable[[], Reply]) -> list[Reply]:
    with ThreadPoolExecutor(count) as threads:
        return [one.result() for one in [threads.submit(ask) for _ in range(count)]]


def test_a_full_queue_refuses_at_once_and_says_when_to_come_again() -> None:
    with running("--delay", "1", "--limits.queue", "2") as slow:
        replies = together(8, lambda: slow.post(INFER, BODY))
        assert {reply.status for reply in replies} == {200, 503}
        refused = [reply for reply in replies if reply.status == 503]
        assert all(reply.headers["retry-after"] == "1" for reply in refused)
        assert "try again" in refused[0].json["error"]
        assert slow.infer(FACE).shape == (1, 7)


def test_probes_are_answered_while_all_threads_work() -> None:
    with running("--delay", "3") as slow, ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(slow.post, INFER, BODY) for _ in range(8)]
        while b"ferflow_requests_present 8.0" not in slow.get("/metrics").content:
            time.sleep(0.05)
        assert slow.get("/v2/health/live").json == {"live": True}
        assert not any(one.done() for one in asked)
        assert [one.result().status for one in asked] == [200] * 8


def test_told_to_stop_it_is_not_ready_finishes_and_exits_with_0() -> None:
    """What arrives while it drains is answered too."""
    with running("--delay", "3", "--limits.drain-seconds", "2") as slow, ThreadPoolExecutor(1) as threads:
        asked = threads.submit(slow.post, INFER, BODY)
        while b"ferflow_requests_present 1.0" not in slow.get("/metrics").content:
            time.sleep(0.05)
        slow.process.send_signal(signal.SIGTERM)
        ready = slow.get("/v2/health/ready")
        while ready.status == 200:  # the signal is on its way
            ready = slow.get("/v2/health/ready")
        assert (ready.status, ready.json) == (503, {"ready": False})
        _, written = slow.process.communicate(timeout=PATIENCE)
        assert asked.result().status == 200
        assert slow.process.returncode == 0
        assert "all that had arrived is answered" in written
        assert "Traceback" not in written


def test_a_client_that_never_ends_does_not_hold_up_the_end() -> None:
    limits = ("--limits.drain-seconds=0", "--limits.grace-seconds=1", "--limits.body-seconds=600")
    with running(*limits) as server, server.connect() as client:
        client.sendall(HEAD.encode())
        server.get("/v2")
        assert server.stop()[0] == 0

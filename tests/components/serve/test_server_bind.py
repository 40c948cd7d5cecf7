"""The server takes its port, or says why not."""

import socket

import pytest

from components.fer.errors import InputError
from components.serve.server import bind


def test_answers_are_sent_at_once() -> None:
    """By a socket's protocol asyncio knows to switch Nagle's algorithm off; with it an answer took 40 ms longer."""
    with bind("127.0.0.1", 0) as taken:
        assert taken.proto == socket.IPPROTO_TCP


def test_nobody_is_let_in_before_the_model_is_loaded() -> None:
    with bind("127.0.0.1", 0) as taken, pytest.raises(ConnectionRefusedError):
        socket.create_connection(taken.getsockname(), timeout=60)


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_an_address_that_cannot_be_had_is_told(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            InputError, match=rf"address {host}:{port}: expected one that is free, found: .*\n.*--port 0"
        ):
            bind(host, port)

"""Bodies of requests within limits of size and time, as a layer of ASGI around the application."""

import asyncio
import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.serve.limits import Limits
from components.serve.refused import Refused

LINGER_SECONDS = 1.0
"""How long the rest of a refused body is still taken and thrown away, up to the size of one that is allowed: a client
that sends all before it reads would else find its connection reset, as one with still more to send does."""


class LimitedBodies:
    """Refuses a body that is too large by its length, or as soon as it is, one that is too slow, and too many at once.

    A connection whose request was answered before its body was there is closed: the rest would be taken for ever.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits
        self.held = 0
        """bytes of all bodies that are being received or answered"""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            raise ValueError(f"expected http, received {scope['type']}")
        body = _Body(self, scope, receive, send)
        try:
            await self.app(scope, body.receive, body.send)
        finally:
            self.held -= body.size


class _Body:
    """The body of one request."""

    def __init__(self, bodies: LimitedBodies, scope: Scope, receive: Receive, send: Send) -> None:
        self._bodies, self._limits = bodies, bodies.limits
        self._receive, self._send = receive, send
        headers = dict(scope["headers"])
        self._declared = int(headers.get(b"content-length", b"0"))  # h11 lets nothing but digits through
        self._whole = self._declared == 0 and b"transfer-encoding" not in headers
        self._due = asyncio.get_running_loop().time() + self._limits.body_seconds
        self._closing = False
        self.size = 0

    async def receive(self) -> Message:
        """Give the next part. Raises `Refused` at a limit."""
        if self._declared > self._limits.body_bytes:
            raise self._too_large(f"{self._declared}")
        try:
            async with asyncio.timeout_at(self._due):
                message = await self._receive()
        except TimeoutError as error:
            sentence = f"body: expected it within {self._limits.body_seconds:g} s, received {self.size} bytes of it."
            raise Refused("slow", sentence) from error
        self._whole = not message.get("more_body", False)
        if message["type"] == "http.request":
            size = len(message["body"])
            self.size += size
            self._bodies.held += size
            if self.size > self._limits.body_bytes:
                raise self._too_large("more")
            if self._bodies.held > self._limits.queue * self._limits.body_bytes:
                raise Refused("busy", "The server has as many requests as it can hold; try again in a second.")
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; where the body is not there yet, close the connection after it."""
        if message["type"] == "http.response.start" and not self._whole:
            self._closing = True
            message["headers"] = [*message["headers"], (b"connection", b"close")]
        if self._closing and message["type"] == "http.response.body" and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self) -> None:
        left = self._limits.body_bytes
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while left > 0:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return

    def _too_large(self, received: str) -> Refused:
        return Refused("too_large", f"body: expected at most {self._limits.body_bytes} bytes, received {received}.")

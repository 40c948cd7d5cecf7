"""Connections that a client cannot hold open by being slow: uvicorn's, with time limits of their own.

Uvicorn limits the time between two requests, and nothing else: headers that come a byte at a time, or an answer that
nobody takes, hold a connection for ever. The time for bodies is limited where they are read (bodies.py).
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from components.serve.limits import Limits

TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def limited(limits: Limits) -> type[H11Protocol]:
    """Make the protocol of one server's connections."""
    unfinished: dict[H11Protocol, None] = {}  # those whose next request is not whole yet, the longest waiting first

    class Connection(H11Protocol):
        """One connection."""

        headers_due: asyncio.TimerHandle | None = None
        answer_due: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                longest = next(iter(unfinished), self)
                unfinished.pop(longest, None)
                longest.transport.abort()
            unfinished[self] = None
            self.headers_due = self.loop.call_later(limits.header_seconds, self._cut_off)

        def connection_lost(self, exc: Exception | None) -> None:
            unfinished.pop(self, None)
            self._stop_timer()
            self.resume_writing()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._look()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._look()

        def pause_writing(self) -> None:
            super().pause_writing()
            self.answer_due = self.loop.call_later(limits.header_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self.answer_due is not None:
                self.answer_due.cancel()
                self.answer_due = None

        def _look(self) -> None:
            """The time for headers begins with their first byte and ends with their last."""
            state = self.conn.their_state
            if state in (h11.IDLE, h11.SEND_BODY):
                unfinished.setdefault(self)
            else:
                unfinished.pop(self, None)
            begun, _ = self.conn.trailing_data
            if state is not h11.IDLE or self.transport.is_closing():
                self._stop_timer()
            elif begun and self.headers_due is None:
                self.headers_due = self.loop.call_later(limits.header_seconds, self._cut_off)

        def _stop_timer(self) -> None:
            if self.headers_due is not None:
                self.headers_due.cancel()
                self.headers_due = None

        def _cut_off(self) -> None:
            self.transport.write(TOO_SLOW)
            self.transport.close()

    return Connection

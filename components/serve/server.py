"""The process that listens: uvicorn with the limits of this server, and an end in good order."""

import contextlib
import logging
import resource
import signal
import socket
import time
from types import FrameType

import uvicorn

from components.fer.errors import InputError
from components.serve.application import Application, Remember
from components.serve.connections import limited
from components.serve.limits import Limits
from components.serve.model import Model

log = logging.getLogger("ferflow")

KEEP_ALIVE = 65
"""Seconds that a connection may be silent between requests: longer than proxies keep theirs, as KServe's has it."""

HEADERS = 16 * 2**10
"""greatest headers of a request, in bytes"""

BACKLOG = 1024
"""connections that the kernel may hold before they are accepted"""


class Server(uvicorn.Server):
    """Told to stop, it is no longer ready, answers a little longer, finishes what is in flight, and ends."""

    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application
        self._leave: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests in, and say where."""
        await super().startup(sockets)
        model = self._application.model
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        log.info("%s %s answers at http://%s:%d/v2/models/%s", model.name, model.version, shown, port, model.name)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: drain, then end. A second one, or Ctrl-C: end at once with what is in flight finished."""
        if self._leave is not None or sig == signal.SIGINT:
            self.should_exit = True
        self._application.ready = False
        self._leave = self._leave or time.monotonic() + self._application.limits.drain_seconds

    async def on_tick(self, counter: int) -> bool:
        """Whether to end, asked ten times a second."""
        return await super().on_tick(counter) or (self._leave is not None and time.monotonic() >= self._leave)


def bind(host: str, port: int) -> socket.socket:
    """Take the port, and let nobody in yet. Raises `InputError` where it is in use, or may not be taken."""
    with contextlib.ExitStack() as failing:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            # With the protocol's number: asyncio else leaves Nagle's algorithm on, and an answer takes 40 ms longer.
            taken = failing.enter_context(socket.socket(family, kind, protocol))
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
        except OSError as error:
            problem = f"address {host}:{port}: expected one that is free, found: {error.strerror or error}."
            raise InputError(problem, "Give another --host or --port; --port 0 takes any that is free.") from error
        failing.pop_all()
    return taken


def run(model: Model, taken: socket.socket, limits: Limits, remember: Remember | None) -> None:
    """Answer at the address of `taken` until SIGTERM or Ctrl-C."""
    _allow_connections(limits.connections)
    application = Application(model, limits, remember)
    config = uvicorn.Config(
        application.asgi(),
        http=limited(limits),
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=HEADERS,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=limits.grace_seconds,
    )
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).setLevel(logging.ERROR)  # what a bad request did is counted, not told a line each
    Server(config, application).run([taken])
    log.info("%s %s: told to stop, all that had arrived is answered", model.name, model.version)


def _allow_connections(wanted: int) -> None:
    """Raise the limit of open files as far as it may be: a connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = 200
    if soft < wanted + spare:
        allowed = wanted + spare if hard == resource.RLIM_INFINITY else min(hard, wanted + spare)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))

"""Threads that do the work of requests, and a queue before them that ends."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from components.serve.refused import Refused

Result = TypeVar("Result")


class Workers:
    """Threads for work of one kind, so that the event loop stays free to answer probes and to refuse."""

    def __init__(self, threads: int, queue: int, what: str) -> None:
        """`queue` requests at most wait or are being answered; `what` says which requests they are."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=what)
        self._queue, self._what = queue, what
        self.present = 0
        """requests that wait or are being answered"""

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have one of the queue's places, for a request. Raises `Refused` where all are taken."""
        if self.present >= self._queue:
            sentence = f"{self.present} {self._what} are waiting, as many as may; try again in a second."
            raise Refused("busy", sentence)
        self.present += 1
        try:
            yield
        finally:
            self.present -= 1

    async def do(self, work: Callable[[], Result]) -> Result:
        """Do `work` in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

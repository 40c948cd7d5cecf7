"""Threads that do the work of requests, and a queue before them that ends."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from components.serve.refused import Refused

Result = TypeVar("Result")


class Workers:
    """As many threads as there are cores, so that the event loop stays free to answer probes and to refuse."""

    def __init__(self, queue: int) -> None:
        """`queue` requests at most wait or are being answered."""
        self._threads = ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="answer")
        self._queue = queue
        self.present = 0
        """requests that wait or are being answered"""

    async def do(self, work: Callable[[], Result]) -> Result:
        """Do `work` in a thread. Raises `Refused` where too many wait already."""
        if self.present >= self._queue:
            raise Refused("busy", f"{self.present} requests are waiting, as many as may; try again in a second.")
        self.present += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self.present -= 1

"""Tells how far long work over many items is: a line now and then."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

log = logging.getLogger("ferflow")

Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BETWEEN_LINES_ON_A_TERMINAL = 3.0


def told(items: Iterable[Item], doing: str, total: int) -> Iterator[Item]:
    """Hand on `items`, `total` in number, and tell now and then how many have passed, their rate, and the time left."""
    pause = SECONDS_BETWEEN_LINES_ON_A_TERMINAL if sys.stderr.isatty() else SECONDS_BETWEEN_LINES
    started = said = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - said > pause:
            said = now
            rate = done / (now - started)
            left = round((total - done) / rate)
            log.info("%s: %s of %s, %.0f/s, %d:%02d left", doing, f"{done:,}", f"{total:,}", rate, *divmod(left, 60))

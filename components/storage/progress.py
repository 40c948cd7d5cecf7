"""Progress of bytes over a network: a line now and then, so that a slow transfer is told from a dead one."""

import logging
import sys
import time
from typing import IO, Any

log = logging.getLogger("ferflow")

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BETWEEN_LINES_ON_A_TERMINAL = 3.0


class Progress:
    """Counts bytes of a transfer and tells how many, at what rate, and the time left."""

    def __init__(self, doing: str, total: int) -> None:
        self.doing, self.total = doing, total
        self.done = 0
        self.started = self.said = time.monotonic()
        self.pause = SECONDS_BETWEEN_LINES_ON_A_TERMINAL if sys.stderr.isatty() else SECONDS_BETWEEN_LINES

    def add(self, count: int) -> None:
        """Move on by so many bytes. What a retry sends again counts once more, up to the total."""
        self.done = min(self.done + count, self.total)
        now = time.monotonic()
        if now - self.said < self.pause:
            return
        self.said = now
        rate = max(self.done, 1) / (now - self.started)
        log.info(
            "%s: %.0f of %.0f MB, %.1f MB/s, %d:%02d left",
            *(self.doing, self.done / 1e6, self.total / 1e6, rate / 1e6),
            *divmod(round((self.total - self.done) / rate), 60),
        )


class Counted:
    """A binary file whose reads and writes move a progress on."""

    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        self._file, self._progress = file, progress

    def read(self, size: int = -1) -> bytes:
        """Read, and count."""
        content = self._file.read(size)
        self._progress.add(len(content))
        return content

    def write(self, content: bytes) -> int:
        """Write, and count."""
        self._progress.add(len(content))
        return self._file.write(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

"""Progress of a training: a bar on a terminal, a line now and then in a log."""

import logging
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

log = logging.getLogger("ferflow")

SECONDS_BETWEEN_LINES = 30.0


class Progress:
    """Shows images a second, the time left, and what each epoch gave."""

    def __init__(self, epochs: int, images: int, done: int) -> None:
        """`images` an epoch; `done` images were trained on before, in another process."""
        self.epochs = epochs
        self.total = epochs * images
        self.done = self.before = done
        self.started = self.said = time.perf_counter()
        self.bar: tqdm[Any] | None = None

    def __enter__(self) -> Self:
        """Draw the bar where a person looks."""
        if sys.stderr.isatty():
            self.bar = tqdm(total=self.total, initial=self.done, unit="img", unit_scale=True, dynamic_ncols=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the bar as it is."""
        if self.bar is not None:
            self.bar.close()

    def step(self, images: int) -> None:
        """Move on; in a log, say so every half minute."""
        self.done += images
        if self.bar is not None:
            self.bar.update(images)
        elif time.perf_counter() - self.said > SECONDS_BETWEEN_LINES:
            self.said = time.perf_counter()
            rate = (self.done - self.before) / (self.said - self.started)
            left = (self.total - self.done) / rate
            log.info("  %d images, %.0f img/s, %d:%02d left", self.done, rate, *divmod(round(left), 60))

    def epoch(self, row: Mapping[str, float]) -> None:
        """Say what the epoch gave."""
        line = (
            f"epoch {row['epoch']:.0f}/{self.epochs}: loss {row['loss']:.3f}, "
            f"accuracy {100 * row['accuracy']:.2f} %, PublicTest {100 * row['val_accuracy']:.2f} %"
        )
        if self.bar is not None:
            self.bar.write(line, file=sys.stderr)
        else:
            log.info("%s", line)

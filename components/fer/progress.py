"""Progress of a training: a bar on a terminal, a line now and then in a log."""

import logging
import sys
import time
from typing import Any

import keras
from tqdm import tqdm

log = logging.getLogger("ferflow")

SECONDS_BETWEEN_LINES = 30.0


class Progress(keras.callbacks.Callback):
    """Shows images a second, the time left, and what each epoch gave."""

    def __init__(self, images: int) -> None:
        super().__init__()
        self.images = images
        self.done = 0
        self.started = self.said = 0.0
        self.bar: tqdm[Any] | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Start the clock, and the bar where a person looks."""
        self.started = self.said = time.perf_counter()
        if sys.stderr.isatty():
            total = self.images * self.params["epochs"]
            self.bar = tqdm(total=total, unit="img", unit_scale=True, dynamic_ncols=True)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move on; in a log, say so every half minute."""
        size = min(-(-self.images // self.params["steps"]), self.images - (self.done % self.images))
        self.done += size
        if self.bar is not None:
            self.bar.update(size)
        elif time.perf_counter() - self.said > SECONDS_BETWEEN_LINES:
            self.said = time.perf_counter()
            rate = self.done / (self.said - self.started)
            left = (self.images * self.params["epochs"] - self.done) / rate
            log.info("  %d images, %.0f img/s, %d:%02d left", self.done, rate, *divmod(round(left), 60))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Say what the epoch gave."""
        values = logs or {}
        line = (
            f"epoch {epoch + 1}/{self.params['epochs']}: loss {values['loss']:.3f}, "
            f"accuracy {100 * values['accuracy']:.2f} %, PublicTest {100 * values['val_accuracy']:.2f} %"
        )
        if self.bar is not None:
            self.bar.write(line, file=sys.stderr)
        else:
            log.info("%s", line)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Leave the bar as it is."""
        if self.bar is not None:
            self.bar.close()

"""Ask a model about images, and hold it to the model contract."""

import logging
import time
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EIGHT, EXPRESSIONS, SIDE, SPLITS, USAGES, Predictions, Prepared, expressions_of
from components.fer.errors import InputError

log = logging.getLogger("ferflow")

BATCH = 256
SECONDS_BETWEEN_LINES = 30.0
TOLERANCE = 1e-4
"""greatest distance of a row's sum from 1: float32 rounding stays far below"""

WIDTHS = (len(EXPRESSIONS), len(EIGHT))
"""How many expressions a model may answer."""

CONTRACT = f"uint8 (N, {SIDE}, {SIDE}, 1) in, float (N, {' or '.join(map(str, WIDTHS))}) probabilities out"
MEND = "Evaluate a model that train-backbone or train-hybrid wrote."


def check_model(model: keras.Model, path: Path) -> None:
    """Raise `InputError` where shapes and dtypes of the model at `path` are not those of the model contract."""
    received = ", ".join(f"{end.dtype} {tuple(end.shape)}" for end in [*model.inputs, *model.outputs])
    if received not in {f"uint8 {(None, SIDE, SIDE, 1)}, float32 {(None, width)}" for width in WIDTHS}:
        raise InputError(f"model {path}: expected {CONTRACT}; received {received}.", MEND)


def check_fits(model: keras.Model, path: Path, data: Prepared) -> None:
    """Raise `InputError` where images of `data` have an expression that the model at `path` cannot answer."""
    width, count = model.output_shape[-1], expressions_of(data)
    if width < count:
        raise InputError(
            f"model {path}: expected an answer of {count} expressions, as the data set has, received one of {width}.",
            f"Train it on data read with validate.expressions: {count}, or read this data with {width}.",
        )


def check_probabilities(probabilities: NDArray[np.float32], path: Path) -> None:
    """Raise `InputError` where a row of what the model at `path` returned (N, E) is no distribution."""
    with np.errstate(invalid="ignore"):  # infinities may cancel to NaN, which is not near 1 either
        sums = probabilities.sum(axis=1)
    good = (np.abs(sums - 1) < TOLERANCE) & (probabilities >= 0).all(axis=1)
    if not good.all():
        worst = int(np.flatnonzero(~good)[0])
        raise InputError(
            f"model {path}: expected rows of probabilities that sum to 1; "
            f"{int((~good).sum()):,} of {len(good):,} do not, the first sums to {sums[worst]:.6g}.",
            MEND,
        )


def predictions(model: keras.Model, data: Prepared, split: int, path: Path) -> Predictions:
    """What `model` (read from `path`) says about the images of `SPLITS[split]`. Raises `InputError`."""
    check_model(model, path)
    check_fits(model, path, data)
    images, label, row = (getattr(data[SPLITS[split]], name) for name in ("images", "label", "row"))
    log.info("%s: predicting %s images", USAGES[split], f"{len(label):,}")
    return Predictions(row, label, np.full_like(label, split), probabilities(model, images, path))


def probabilities(model: keras.Model, images: NDArray[np.uint8], path: Path) -> NDArray[np.float32]:
    """What `model` (read from `path`) says about images (N, 48, 48, 1): (N, 7) or (N, 8). Raises `InputError`."""
    check_model(model, path)
    if not len(images):
        return np.zeros((0, model.output_shape[-1]), np.float32)
    answer = answers(model, images)
    check_probabilities(answer, path)
    return answer


def answers(model: keras.Model, images: NDArray[np.uint8], devices: int = 1) -> NDArray[np.float32]:
    """What `model` says about images (N, 48, 48, 1), unchecked: (N, E).

    Where `devices` share out each batch, some images are asked about twice, for a batch to be a multiple of them.
    """
    asked = np.arange(len(images) + -len(images) % devices) % len(images)
    size = BATCH // devices * devices
    answer = model.predict(images[asked], batch_size=size, verbose=0, callbacks=[Lines(len(asked))])
    return np.asarray(answer[: len(images)])


class Lines(keras.callbacks.Callback):
    """Says now and then how far a prediction is."""

    def __init__(self, images: int) -> None:
        super().__init__()
        self.images = images
        self.started = self.said = time.perf_counter()

    def on_predict_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Say so every half minute."""
        now = time.perf_counter()
        if now - self.said > SECONDS_BETWEEN_LINES:
            self.said = now
            done = min((batch + 1) * BATCH, self.images)
            rate = done / (now - self.started)
            left = divmod(round((self.images - done) / rate), 60)
            log.info("  %d of %d images, %.0f img/s, %d:%02d left", done, self.images, rate, *left)

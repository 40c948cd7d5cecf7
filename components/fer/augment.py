"""Random changes of the training images, as a layer that does nothing at inference."""

import math
from typing import Any, cast

import keras
from keras import KerasTensor, ops

ERASED_AREA = (0.02, 0.2)
"""Least and greatest area of an erased rectangle, as a share of the image."""

ERASED_ASPECT = (0.3, 1 / 0.3)
"""Least and greatest height of an erased rectangle, as a multiple of its width."""


@keras.saving.register_keras_serializable("ferflow")
class Augment(keras.layers.Layer):
    """Flip, rotate, shift and zoom in one bilinear resampling; then contrast, brightness, gamma and random erasing.

    Takes and returns float (N, H, W, C) in 0..255. Each image draws its own values, evenly within the ranges of
    `components.fer.recipe.Recipe`: rotation in degrees, shift as a share of the side, brightness as a share of 255;
    zoom, contrast and gamma as g for a factor (an exponent) of 1-g to 1+g; erasing as a probability. A range of 0
    leaves its change out of the graph. Borders repeat the nearest pixel, since a black border would be a feature of
    its own.
    """

    def __init__(
        self,
        *,
        flip: bool,
        rotation: float,
        shift: float,
        zoom: float,
        brightness: float,
        contrast: float,
        gamma: float,
        erasing: float,
        seed: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.flip = flip
        self.rotation = rotation
        self.shift = shift
        self.zoom = zoom
        self.brightness = brightness
        self.contrast = contrast
        self.gamma = gamma
        self.erasing = erasing
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)
        self.supports_jit = True

    def call(self, images: KerasTensor, training: bool = False) -> KerasTensor:
        """Augment in training, hand through otherwise."""
        if not training:
            return images
        if self.flip or self.rotation or self.shift or self.zoom:
            images = self._resample(images)
        if self.contrast or self.brightness:
            images = self._relight(images)
        if self.gamma:
            images = self._bend(images)
        if self.erasing:
            images = self._erase(images)
        return images

    def _uniform(self, images: KerasTensor, low: float, high: float) -> KerasTensor:
        """One value for each image, of shape (N, 1, 1, 1)."""
        return keras.random.uniform((ops.shape(images)[0], 1, 1, 1), low, high, dtype="float32", seed=self.generator)

    def _around(self, images: KerasTensor, middle: float, reach: float) -> KerasTensor:
        return self._uniform(images, middle - reach, middle + reach)

    def _resample(self, images: KerasTensor) -> KerasTensor:
        """Resample by the inverse map: an output pixel (x, y) is read at (a x + b y + c, d x + e y + f)."""
        height, width = images.shape[1:3]
        angle = self._around(images, 0, math.radians(self.rotation))
        scale = self._around(images, 1, self.zoom)
        right, down = (self._around(images, 0, self.shift * side) for side in (width, height))
        mirror = ops.sign(self._around(images, 0, 1)) if self.flip else 1
        cos, sin = ops.cos(angle) * scale, ops.sin(angle) * scale
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        a, b, d, e = cos * mirror, -sin, sin * mirror, cos
        c = middle_x - a * middle_x - b * middle_y + right
        f = middle_y - d * middle_x - e * middle_y + down
        zero = ops.zeros_like(a)
        transform = ops.reshape(ops.concatenate([a, b, c, d, e, f, zero, zero], axis=-1), (-1, 8))
        moved = ops.image.affine_transform(images, transform, "bilinear", fill_mode="nearest")
        return cast("KerasTensor", moved)

    def _relight(self, images: KerasTensor) -> KerasTensor:
        """Scale the difference from the mean grey, then add the same to all pixels."""
        if self.contrast:
            mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
            images = (images - mean) * self._around(images, 1, self.contrast) + mean
        if self.brightness:
            images += self._around(images, 0, 255 * self.brightness)
        return ops.clip(images, 0, 255)

    def _bend(self, images: KerasTensor) -> KerasTensor:
        """Raise grey values, as shares of 255, to a power: black and white stay, what is between them moves."""
        # Not ops.power: it takes three times as long on a CPU. The logarithm of black, minus infinity, gives 0 again.
        return 255 * ops.exp(self._around(images, 1, self.gamma) * ops.log(images / 255))

    def _erase(self, images: KerasTensor) -> KerasTensor:
        """Put even noise in place of one rectangle (Zhong et al., Random Erasing Data Augmentation, AAAI 2020).

        The logarithm of the aspect is drawn, so that tall and wide are as likely. The tallest rectangle, 0.82 of the
        side of a square image, fits without a second draw.
        """
        _, height, width, _ = images.shape
        area = self._uniform(images, *ERASED_AREA) * height * width
        aspect = ops.exp(self._uniform(images, *(math.log(bound) for bound in ERASED_ASPECT)))
        rows = self._strip(images, height, ops.sqrt(area * aspect))
        columns = self._strip(images, width, ops.sqrt(area / aspect))
        chosen = self._uniform(images, 0, 1) < self.erasing
        mask = chosen & ops.reshape(rows, (-1, height, 1, 1)) & ops.reshape(columns, (-1, 1, width, 1))
        noise = keras.random.uniform(ops.shape(images), 0, 255, dtype="float32", seed=self.generator)
        return ops.where(mask, noise, images)

    def _strip(self, images: KerasTensor, side: int, length: KerasTensor) -> KerasTensor:
        """Which of `side` pixels lie in a strip of about `length`, placed evenly: bool (N, 1, 1, `side`)."""
        length = ops.round(length)
        first = ops.floor(self._uniform(images, 0, 1) * (side - length + 1))
        place = ops.arange(side, dtype="float32")
        return (place >= first) & (place < first + length)

    def get_config(self) -> dict[str, Any]:
        """All arguments, so that a saved model can be read back."""
        names = ("flip", "rotation", "shift", "zoom", "brightness", "contrast", "gamma", "erasing", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

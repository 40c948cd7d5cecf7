"""Random changes of the training images, as a layer that does nothing at inference."""

import math
from typing import Any, cast

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable("ferflow")
class Augment(keras.layers.Layer):
    """Flip, rotate, shift and zoom in one bilinear resampling, then change brightness and contrast.

    Takes and returns float (N, H, W, C) in 0..255. Each image draws its own values, uniformly within the ranges of
    `components.fer.recipe.Recipe`: rotation in degrees, shift as a share of the side, zoom, brightness (share of 255)
    and contrast as shares. Borders repeat the nearest pixel, since a black border would be a feature of its own.
    """

    def __init__(
        self,
        flip: bool,
        rotation: float,
        shift: float,
        zoom: float,
        brightness: float,
        contrast: float,
        seed: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ranges = {
            "flip": flip,
            "rotation": rotation,
            "shift": shift,
            "zoom": zoom,
            "brightness": brightness,
            "contrast": contrast,
        }
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)
        self.supports_jit = True

    def call(self, images: KerasTensor, training: bool = False) -> KerasTensor:
        """Augment in training, hand through otherwise."""
        if not training:
            return images
        return self._relight(self._move(images))

    def _uniform(self, count: KerasTensor, reach: float) -> KerasTensor:
        return keras.random.uniform((count,), -reach, reach, dtype="float32", seed=self.generator)

    def _move(self, images: KerasTensor) -> KerasTensor:
        """Resample by the inverse map: an output pixel (x, y) is read at (a x + b y + c, d x + e y + f)."""
        count, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
        angle = self._uniform(count, math.radians(self.ranges["rotation"]))
        scale = 1 + self._uniform(count, self.ranges["zoom"])
        down = self._uniform(count, self.ranges["shift"] * height)
        right = self._uniform(count, self.ranges["shift"] * width)
        mirror = ops.sign(self._uniform(count, 1.0)) if self.ranges["flip"] else ops.ones((count,))
        cos, sin = ops.cos(angle) * scale, ops.sin(angle) * scale
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        a, b, d, e = cos * mirror, -sin, sin * mirror, cos
        c = middle_x - a * middle_x - b * middle_y + right
        f = middle_y - d * middle_x - e * middle_y + down
        zero = ops.zeros((count,))
        transform = ops.stack([a, b, c, d, e, f, zero, zero], axis=1)
        moved = ops.image.affine_transform(ops.cast(images, "float32"), transform, "bilinear", fill_mode="nearest")
        return cast("KerasTensor", moved)

    def _relight(self, images: KerasTensor) -> KerasTensor:
        count = ops.shape(images)[0]
        gain = ops.reshape(1 + self._uniform(count, self.ranges["contrast"]), (-1, 1, 1, 1))
        offset = ops.reshape(255 * self._uniform(count, self.ranges["brightness"]), (-1, 1, 1, 1))
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return ops.clip((images - mean) * gain + mean + offset, 0, 255)

    def get_config(self) -> dict[str, Any]:
        """All arguments, so that a saved model can be read back."""
        return {**super().get_config(), **self.ranges, "seed": self.seed}

"""Small dense networks for 48x48 pixels, which learn from scratch on a CPU.

The networks of keras.applications are made for 224 pixels: at 48 their last features are 2x2, and their depthwise
convolutions use a tenth of what a CPU can do. Dense 3x3 convolutions with batch normalisation, as VGG has them, learn
more from a small face in the same time; docs/choices.md has the figures.
"""

from collections.abc import Sequence

import keras
from keras import KerasTensor, layers


def vgg_small(include_top: bool, input_shape: tuple[int, int, int], weights: str | None, name: str) -> keras.Model:
    """Seven convolutions at 48, 24, 12 and 6 pixels: 32, 64-64, 128-128, 256-256 (1.2 million weights).

    The arguments are those of keras.applications; there is no top and there are no published weights.
    """
    pixels = _input(include_top, input_shape, weights)
    return keras.Model(pixels, _stack(pixels, ((32,), (64, 64), (128, 128), (256, 256))), name=name)


def resnet_small(include_top: bool, input_shape: tuple[int, int, int], weights: str | None, name: str) -> keras.Model:
    """ResNet-9 at a quarter of the pixels: a stem of stride 2, then 96, 192 and 384 wide stages, two of them residual.

    The arguments are those of keras.applications; there is no top and there are no published weights. The shape is that
    of the CIFAR-10 speed runs (DAWNBench, 2018).
    """
    pixels = _input(include_top, input_shape, weights)
    x = _convolution(pixels, 48, strides=2)
    for width, residual in ((96, True), (192, False), (384, True)):
        x = layers.MaxPooling2D()(_convolution(x, width))
        if residual:
            x = layers.Add()([x, _convolution(_convolution(x, width), width)])
    return keras.Model(pixels, x, name=name)


def _input(include_top: bool, input_shape: tuple[int, int, int], weights: str | None) -> KerasTensor:
    if include_top or weights is not None:
        raise ValueError(f"expected no top and no weights, received include_top={include_top}, weights={weights}")
    return keras.Input(input_shape)


def _stack(x: KerasTensor, stages: Sequence[Sequence[int]]) -> KerasTensor:
    for number, widths in enumerate(stages):
        if number:
            x = layers.MaxPooling2D()(x)
        for width in widths:
            x = _convolution(x, width)
    return x


def _convolution(x: KerasTensor, width: int, strides: int = 1) -> KerasTensor:
    x = layers.Conv2D(width, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))

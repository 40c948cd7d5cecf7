"""Small dense networks for 48x48 pixels, which learn from scratch on a CPU.

The networks of keras.applications are made for 224 pixels: at 48 their last features are 2x2, and their depthwise
convolutions use a tenth of what a CPU can do. Dense 3x3 convolutions with batch normalisation, as VGG has them, learn
more from a small face in the same time; docs/choices.md has the figures. Layers have names, to be frozen by and to be
told from those of the other branch of a hybrid.
"""

import keras
from keras import KerasTensor, layers

from components.fer.fused import FusedBatchNormalization


def vgg_small(include_top: bool, input_shape: tuple[int, int, int], weights: str | None, name: str) -> keras.Model:
    """A stem of stride 2 and six convolutions at 24, 12 and 6 pixels: 64-64, 128-128, 256-256 (1.2 million weights).

    The arguments are those of keras.applications; there is no top and there are no published weights.
    """
    pixels = _input(include_top, input_shape, weights)
    x = _stem(pixels, 64, "vgg0")
    for block, width in enumerate((64, 128, 256), start=1):
        if block > 1:
            x = layers.MaxPooling2D(name=f"vgg{block - 1}_pool")(x)
        for number in (1, 2):
            x = _convolution(x, width, f"vgg{block}_{number}")
    return keras.Model(pixels, x, name=name)


def resnet_small(include_top: bool, input_shape: tuple[int, int, int], weights: str | None, name: str) -> keras.Model:
    """A stem of stride 2 and three stages of width 64, 128 and 256: convolution, pooling, a residual block.

    The arguments are those of keras.applications; there is no top and there are no published weights. The shape is that
    of the CIFAR-10 speed runs' ResNet-9 (DAWNBench, 2018). 2.0 million weights.
    """
    pixels = _input(include_top, input_shape, weights)
    x = _stem(pixels, 32, "resnet0")
    for stage, width in enumerate((64, 128, 256), start=1):
        x = layers.MaxPooling2D(name=f"resnet{stage}_pool")(_convolution(x, width, f"resnet{stage}"))
        x = _residual(x, width, f"resnet{stage}")
    return keras.Model(pixels, x, name=name)


def _stem(pixels: KerasTensor, width: int, name: str) -> KerasTensor:
    """Standardise each image, and convolve 6x6 pixels with stride 2.

    That is 3x3 over blocks of 2x2 pixels, so no map of features has the full size, which costs most. Pixels have mean 0
    and deviation 1 then, but for images without contrast, of which a deviation of 8 grey values is asked (of 127.5).
    """
    standardise = layers.LayerNormalization(
        axis=(1, 2, 3), center=False, scale=False, epsilon=(8 / 127.5) ** 2, name=f"{name}_standardise"
    )
    return _convolution(standardise(pixels), width, name, kernel=6, strides=2)


def _residual(x: KerasTensor, width: int, name: str) -> KerasTensor:
    inner = _convolution(_convolution(x, width, f"{name}_1"), width, f"{name}_2")
    return layers.Add(name=f"{name}_add")([x, inner])


def resnet_wide(include_top: bool, input_shape: tuple[int, int, int], weights: str | None, name: str) -> keras.Model:
    """A stem of stride 2, a convolution of width 64, and two stages as those of `resnet_small`, 128 and 256 wide.

    The arguments are those of keras.applications; there is no top and there are no published weights. 1.9 million
    weights, twice the operations of `resnet_small`: more of them at 24 pixels.
    """
    pixels = _input(include_top, input_shape, weights)
    x = _convolution(_stem(pixels, 64, "wide0"), 64, "wide0_1")
    for stage, width in enumerate((128, 256), start=1):
        x = layers.MaxPooling2D(name=f"wide{stage}_pool")(x)
        x = _residual(_convolution(x, width, f"wide{stage}"), width, f"wide{stage}")
    return keras.Model(pixels, x, name=name)


def _input(include_top: bool, input_shape: tuple[int, int, int], weights: str | None) -> KerasTensor:
    if include_top or weights is not None:
        raise ValueError(f"expected no top and no weights, received include_top={include_top}, weights={weights}")
    return keras.Input(input_shape)


def _convolution(x: KerasTensor, width: int, name: str, kernel: int = 3, strides: int = 1) -> KerasTensor:
    x = layers.Conv2D(width, kernel, strides=strides, padding="same", use_bias=False, name=f"{name}_conv")(x)
    return layers.ReLU(name=f"{name}_relu")(FusedBatchNormalization(name=f"{name}_bn")(x))

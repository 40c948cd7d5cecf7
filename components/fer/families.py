"""The architectures that an extractor can have: how each is built, what pixels it takes, where its weights are."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import KerasTensor, applications, layers, ops

from components.fer import compact
from components.fer.recipe import Architecture

MEAN = (0.485, 0.456, 0.406)
"""of ImageNet's red, green and blue, in 0..1"""
DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Pixels:
    """What an architecture takes, as a linear function of RGB in 0..255.

    A wrong scale costs points without a word, hence the tests against each architecture's own `preprocess_input`.
    """

    scale: tuple[float, ...] = (1.0, 1.0, 1.0)
    """factor on each channel"""
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    """added to each channel after scaling"""
    swapped: bool = False
    """whether blue comes first; scale and offset are in that order then"""

    def __call__(self, rgb: KerasTensor) -> KerasTensor:
        """Float (N, S, S, 3) as the architecture takes it, in float32 whatever the precision of the layers."""
        channels = ops.flip(rgb, axis=-1) if self.swapped else rgb
        return layers.Rescaling(list(self.scale), list(self.offset), dtype="float32")(channels)


SIGNED = Pixels(scale=(1 / 127.5,) * 3, offset=(-1.0,) * 3)
"""-1..1; Keras calls it tf"""

STANDARD = Pixels(
    scale=tuple(1 / 255 / deviation for deviation in DEVIATION),
    offset=tuple(-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)),
)
"""ImageNet has mean 0 and deviation 1; Keras calls it torch"""

CENTRED = Pixels(offset=(-103.939, -116.779, -123.68), swapped=True)
"""ImageNet has mean 0, blue comes first; Keras calls it caffe"""

ROOTED = Pixels(
    scale=tuple(1 / math.sqrt(deviation) for deviation in DEVIATION),
    offset=tuple(255 * mean * (1 - 1 / math.sqrt(dev)) for mean, dev in zip(MEAN, DEVIATION, strict=True)),
)
"""What EfficientNet was trained on, which standardises inside: ImageNet has deviation 1 / sqrt(DEVIATION) then.

Keras has the root in the network only where it loads ImageNet's weights itself
(https://github.com/tensorflow/tensorflow/issues/49930); in front of it, it is there for weights from a folder too.
"""


@dataclass(frozen=True)
class Family:
    """What is particular to one architecture."""

    build: Callable[..., keras.Model]
    """makes the network, with the arguments of keras.applications"""
    pixels: Pixels
    weights_glob: str | None
    """file that Keras publishes for the extractor alone; none where there are no published weights"""
    least_size: int = 32
    """height and width in pixels of the smallest image that the network takes"""


FAMILIES: dict[Architecture, Family] = {
    "efficientnet_b0": Family(applications.EfficientNetB0, ROOTED, "efficientnetb0*notop*.h5"),
    "efficientnet_b1": Family(applications.EfficientNetB1, ROOTED, "efficientnetb1*notop*.h5"),
    "efficientnet_b2": Family(applications.EfficientNetB2, ROOTED, "efficientnetb2*notop*.h5"),
    "efficientnet_b3": Family(applications.EfficientNetB3, ROOTED, "efficientnetb3*notop*.h5"),
    "efficientnet_b4": Family(applications.EfficientNetB4, ROOTED, "efficientnetb4*notop*.h5"),
    "efficientnet_b5": Family(applications.EfficientNetB5, ROOTED, "efficientnetb5*notop*.h5"),
    "efficientnet_b6": Family(applications.EfficientNetB6, ROOTED, "efficientnetb6*notop*.h5"),
    "efficientnet_b7": Family(applications.EfficientNetB7, ROOTED, "efficientnetb7*notop*.h5"),
    "vgg16": Family(applications.VGG16, CENTRED, "vgg16_*no*top*.h5"),
    "resnet50": Family(applications.ResNet50, CENTRED, "resnet50_*notop*.h5"),
    "resnet101": Family(applications.ResNet101, CENTRED, "resnet101_*notop*.h5"),
    "resnet152": Family(applications.ResNet152, CENTRED, "resnet152_*notop*.h5"),
    "resnet50v2": Family(applications.ResNet50V2, SIGNED, "resnet50v2_*notop*.h5"),
    "resnet101v2": Family(applications.ResNet101V2, SIGNED, "resnet101v2_*notop*.h5"),
    "resnet152v2": Family(applications.ResNet152V2, SIGNED, "resnet152v2_*notop*.h5"),
    "densenet121": Family(applications.DenseNet121, STANDARD, "densenet121_*notop*.h5"),
    "densenet169": Family(applications.DenseNet169, STANDARD, "densenet169_*notop*.h5"),
    "densenet201": Family(applications.DenseNet201, STANDARD, "densenet201_*notop*.h5"),
    "mobilenet": Family(applications.MobileNet, SIGNED, "mobilenet_1_0_224_*no_top*.h5"),
    "mobilenet_v2": Family(applications.MobileNetV2, SIGNED, "mobilenet_v2*1.0_224_no_top*.h5"),
    "nasnet_mobile": Family(applications.NASNetMobile, SIGNED, "[Nn][Aa][Ss][Nn]et[-_]mobile[-_]no[-_]top*.h5"),
    "inception_v3": Family(applications.InceptionV3, SIGNED, "inception_v3_*notop*.h5", least_size=75),
    "xception": Family(applications.Xception, SIGNED, "xception_*notop*.h5", least_size=71),
    "vgg_small": Family(compact.vgg_small, SIGNED, None),
    "resnet_small": Family(compact.resnet_small, SIGNED, None),
    "resnet_wide": Family(compact.resnet_wide, SIGNED, None),
}

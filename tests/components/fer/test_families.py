"""The architectures: pixels on the right scale, weight files told apart, the published numbers of parameters."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

import keras
import numpy as np
import pytest
from keras import applications

from components.fer import models
from components.fer.errors import InputError
from components.fer.families import DEVIATION, FAMILIES, MEAN
from components.fer.recipe import Architecture

PREPROCESS = {
    "vgg16": applications.vgg16,
    **dict.fromkeys(("resnet50", "resnet101", "resnet152"), applications.resnet),
    **dict.fromkeys(("resnet50v2", "resnet101v2", "resnet152v2"), applications.resnet_v2),
    **dict.fromkeys(("densenet121", "densenet169", "densenet201"), applications.densenet),
    "mobilenet": applications.mobilenet,
    "mobilenet_v2": applications.mobilenet_v2,
    "nasnet_mobile": applications.nasnet,
    "inception_v3": applications.inception_v3,
    "xception": applications.xception,
}

PUBLISHED_FILES = {
    **{f"efficientnetb{number}_notop.h5": f"efficientnet_b{number}" for number in range(8)},
    **{
        f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5": name
        for name in ("vgg16", "resnet50", "resnet101", "resnet152", "resnet50v2", "resnet101v2", "resnet152v2")
    },
    **{
        f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5": name
        for name in ("densenet121", "densenet169", "densenet201", "inception_v3", "xception")
    },
    "mobilenet_1_0_224_tf_no_top.h5": "mobilenet",
    "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5": "mobilenet_v2",
    "nasnet_mobile_no_top.h5": "nasnet_mobile",
    "NASNet-mobile-no-top.h5": "nasnet_mobile",
}
"""Names under which Keras 3.15 publishes or keeps extractors, with their architecture."""

S5_PARAMETERS: dict[Architecture, int] = {
    "resnet50": 25_636_712,
    "resnet101": 44_707_176,
    "resnet152": 60_419_944,
    "resnet50v2": 25_613_800,
    "resnet101v2": 44_675_560,
    "resnet152v2": 60_380_648,
    "densenet121": 8_062_504,
    "densenet169": 14_307_880,
    "densenet201": 20_242_984,
    "mobilenet": 4_253_864,
    "mobilenet_v2": 3_538_984,
    "nasnet_mobile": 5_326_716,
    "inception_v3": 23_851_784,
    "xception": 22_910_480,
}
"""As S5 prints them, of the models with ImageNet's 1,000 classes."""


def test_each_architecture_has_a_family() -> None:
    assert list(FAMILIES) == list(get_args(Architecture))


@pytest.mark.parametrize("architecture", PREPROCESS)
def test_pixels_are_those_of_the_architectures_own_preprocess_input(architecture: Architecture) -> None:
    rgb = np.random.default_rng(1).uniform(0, 255, (2, 5, 5, 3)).astype(np.float32)
    expected = PREPROCESS[architecture].preprocess_input(rgb.copy())
    assert np.allclose(FAMILIES[architecture].pixels(keras.ops.convert_to_tensor(rgb)), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["folder", "imagenet"])
def test_efficientnet_is_the_published_network(weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With weights from a file as with those that Keras loads, into a network that has a layer more then."""
    source = applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3))
    standardising = next(layer for layer in source.layers if isinstance(layer, keras.layers.Normalization))
    standardising.set_weights([np.array(MEAN), np.array(DEVIATION) ** 2, np.array(0)])
    file = tmp_path / "efficientnetb0_notop.weights.h5"
    source.save_weights(file)
    downloaded: Any = "keras.src.applications.efficientnet.file_utils.get_file"
    monkeypatch.setattr(downloaded, lambda *_, **__: str(file))
    published = applications.EfficientNetB0(include_top=False, weights="imagenet", input_shape=(32, 32, 3))
    ours = models.extractor("efficientnet_b0", 32, str(tmp_path) if weights == "folder" else weights, 0.99)
    rgb = np.random.default_rng(1).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    expected = np.asarray(published(rgb, training=False))
    assert np.abs(ours(rgb, training=False) - expected).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("file", PUBLISHED_FILES)
def test_a_published_file_is_that_of_one_architecture(file: str) -> None:
    found = [
        name for name, family in FAMILIES.items() if family.weights_glob and fnmatchcase(file, family.weights_glob)
    ]
    assert found == [PUBLISHED_FILES[file]]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", S5_PARAMETERS)
def test_the_smallest_images_and_the_published_number_of_parameters(architecture: Architecture) -> None:
    family = FAMILIES[architecture]
    extractor = models.extractor(architecture, family.least_size, "none", 0.99)
    features = extractor.output_shape[-1]
    assert extractor.count_params() + (features + 1) * 1000 == S5_PARAMETERS[architecture]


@pytest.mark.parametrize("architecture", ["inception_v3", "xception", "vgg16"])
def test_images_too_small_for_the_architecture(architecture: Architecture) -> None:
    least = FAMILIES[architecture].least_size
    with pytest.raises(InputError) as error:
        models.extractor(architecture, least - 1, "none", 0.99)
    assert str(error.value) == (
        f"image_size of {architecture}: expected {least} or more, received {least - 1}.\n"
        f"Set image_size: {least} in params.yaml."
    )
    with pytest.raises(ValueError, match="at least"):
        FAMILIES[architecture].build(include_top=False, weights=None, input_shape=(least - 1, least - 1, 3))

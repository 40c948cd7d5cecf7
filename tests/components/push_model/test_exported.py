"""What serves answers as the model does, whatever its architecture and precision, and takes what the model takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from components.fer.dataset import Faces
from components.fer.errors import InputError
from components.fer.recipe import Architecture
from components.serve.runtime import NAME, Runtime
from tests.components.fer.conftest import small_recipe

Images = NDArray[np.uint8]

pytestmark = pytest.mark.slow

SAME = 1e-5
"""Greatest difference of a probability between two kernels of one precision: ten times what is measured."""


@contextmanager
def precision(policy: str) -> Iterator[None]:
    """Layers are made in another precision, as in a training with it."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def network(architectures: tuple[Architecture, ...], policy: str, images: Images) -> Any:
    """A network whose batch normalisation has the averages of the images, all of them."""
    import keras

    from components.fer import models

    keras.utils.set_random_seed(1)
    with precision(policy):
        recipe = small_recipe(image_size=48)
        branches = [models.extractor(name, 48, "none", 0.1) for name in architectures]
        model = models.single(recipe, branches[0]) if len(branches) == 1 else models.hybrid(recipe, *branches)
    for _ in range(2):
        model(images, training=True)
    return model


@pytest.mark.parametrize(
    ("architectures", "policy"),
    [
        (("vgg_small", "resnet_small"), "float32"),
        (("resnet_wide",), "mixed_bfloat16"),
        (("mobilenet_v2",), "float32"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else value,
)
def test_both_forms_answer_as_the_model(
    architectures: tuple[Architecture, ...], policy: str, images_of_faces: Images, tmp_path: Path
) -> None:
    """Drawn faces, all of them, an odd number, and one. The light model is the network in float32."""
    import tensorflow as tf

    from components.push_model import exported

    model = network(architectures, policy, images_of_faces)
    exported.saved_model(model, tmp_path / "saved_model")
    exported.light(model, tmp_path / "saved_model", tmp_path / NAME)
    assert exported.precision(model) == policy.removeprefix("mixed_")
    light, loaded = Runtime(tmp_path / NAME), tf.saved_model.load(tmp_path / "saved_model")
    expected = model.predict(images_of_faces, verbose=0)
    in_float32 = exported.in_float32(model).predict(images_of_faces, verbose=0)
    assert np.ptp(expected, axis=0).max() > 10 * SAME, "answers to different faces differ"
    for count in (len(images_of_faces), 7, 1):
        images = images_of_faces[:count]
        (served,) = loaded.signatures["serve"](tf.constant(images)).values()
        np.testing.assert_allclose(served.numpy(), expected[:count], atol=SAME)
        np.testing.assert_allclose(light.probabilities(images), in_float32[:count], atol=SAME)


def test_both_forms_refuse_what_the_model_does_not_take(images_of_faces: Images, tmp_path: Path) -> None:
    """A network that pools over all places would answer images of any size."""
    import tensorflow as tf

    from components.push_model import exported
    from components.push_model.answering import WRONG

    model = network(("vgg_small",), "float32", images_of_faces)
    exported.saved_model(model, tmp_path / "saved_model")
    exported.light(model, tmp_path / "saved_model", tmp_path / NAME)
    light, loaded = Runtime(tmp_path / NAME), tf.saved_model.load(tmp_path / "saved_model")
    for wrong in WRONG.values():
        with pytest.raises(tf.errors.InvalidArgumentError):
            loaded.signatures["serve"](tf.constant(wrong))
        with pytest.raises(InputError, match=r"^images: expected uint8 \(N, 48, 48, 1\), received "):
            light.probabilities(wrong)


@pytest.fixture(scope="module")
def images_of_faces(made: Faces) -> Images:
    """65 drawn faces, (65, 48, 48, 1): one more than the light model answers at a time."""
    return made.images[:65, ..., None]

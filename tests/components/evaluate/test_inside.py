"""What a network computes on its way, checked against the same arithmetic by hand."""

import keras
import numpy as np
import pytest

from components.evaluate import inside
from tests.components.evaluate.conftest import KERAS, tiny_model

IMAGES = np.random.default_rng(1).integers(0, 256, (40, 48, 48, 1), np.uint8)

pytestmark = pytest.mark.filterwarnings(KERAS)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return tiny_model()


def test_the_last_layer_decides_on_the_features(model: keras.Model) -> None:
    features = inside.features(model, IMAGES)
    assert features.shape == (40, 32)
    kernel, bias = model.get_layer("probabilities").get_weights()
    odds = np.exp(features @ kernel + bias)
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), expected, rtol=1e-4)


def test_feature_maps_are_those_of_the_first_convolution_inside_the_extractor(model: keras.Model) -> None:
    maps = inside.first_maps(model, IMAGES[0])
    assert maps is not None
    assert maps.shape == (46, 46, 8)
    (first, *_) = (layer for layer in model.get_layer("extractor").layers if isinstance(layer, keras.layers.Conv2D))
    kernel, bias = first.get_weights()
    patch = IMAGES[0, 10:13, 20:23].astype(np.float32) / 127.5 - 1
    expected = np.maximum(np.tensordot(patch, kernel, axes=3) + bias, 0)
    np.testing.assert_allclose(maps[10, 20], expected, atol=1e-5)


def test_looking_inside_changes_no_answer(model: keras.Model) -> None:
    before = model.predict(IMAGES, verbose=0)
    inside.features(model, IMAGES)
    inside.first_maps(model, IMAGES[0])
    np.testing.assert_array_equal(model.predict(IMAGES, verbose=0), before)


def test_a_network_without_a_convolution_has_no_maps() -> None:
    image = keras.Input((48, 48, 1), dtype="uint8")
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
    assert inside.first_maps(keras.Model(image, keras.layers.Dense(7, activation="softmax")(flat)), IMAGES[0]) is None


def test_the_embedding_keeps_groups_apart_and_depends_on_the_seed_alone() -> None:
    group = np.repeat([0, 1], 20)
    features = np.random.default_rng(2).normal(size=(40, 6)).astype(np.float32) + 50 * group[:, None]
    placed = inside.embedding(features, seed=1)
    assert placed.shape == (40, 2)
    middles = [placed[group == side].mean(axis=0) for side in (0, 1)]
    nearest = np.linalg.norm(placed[:, None] - middles, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, group)
    np.testing.assert_array_equal(inside.embedding(features, seed=1), placed)

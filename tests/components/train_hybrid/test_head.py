"""A hybrid with its branches' weights begins as the two of them together, where their classifiers can be joined."""

from typing import Any

import numpy as np
import pytest

from components.fer import models
from components.fer.dataset import Faces
from components.fer.recipe import Architecture
from components.train_hybrid.head import NAME, begin_as_mean
from tests.components.fer.conftest import small_recipe

ARCHITECTURES: tuple[Architecture, ...] = ("vgg_small", "resnet_small")


def three(**changes: Any) -> tuple[Any, Any, Any]:
    """Two models of one extractor each, and their hybrid with the weights of both."""
    recipe = small_recipe(**changes)
    branches = [models.extractor(name, recipe.image_size, "none", 0.9) for name in ARCHITECTURES]
    singles = [models.single(recipe, branch) for branch in branches]
    copies = [models.extractor(name, recipe.image_size, "none", 0.9) for name in ARCHITECTURES]
    for copy, branch in zip(copies, branches, strict=True):
        copy.set_weights(branch.get_weights())
    return models.hybrid(recipe, *copies), *singles


def test_it_answers_as_the_normalised_geometric_mean_of_its_branches(made: Faces) -> None:
    hybrid, first, second = three(dense_1=0, dense_2=0)
    images = made.images[:20, ..., None]
    assert begin_as_mean(hybrid, first, second)
    one, other, both = (model.predict(images, verbose=0) for model in (first, second, hybrid))
    mean = np.sqrt(one * other)
    np.testing.assert_allclose(both, mean / mean.sum(axis=1, keepdims=True), atol=1e-5)
    assert np.abs(one - other).max() > 1e-3, "the branches differ"


@pytest.mark.parametrize("changes", [{"dense_1": 8, "dense_2": 0}, {"dense_1": 8, "dense_2": 4}])
def test_classifiers_behind_hidden_layers_are_left_as_they_are(changes: dict[str, int]) -> None:
    hybrid, first, second = three(**changes)
    before = hybrid.get_layer(NAME).get_weights()
    assert not begin_as_mean(hybrid, first, second)
    for kept, weights in zip(before, hybrid.get_layer(NAME).get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weights)

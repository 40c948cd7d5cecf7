"""A hybrid's classifier that begins as the mean of its branches' own, so that it does not first unlearn them."""

import keras
import numpy as np

NAME = "probabilities"
"""of the layer that classifies, in every model of this repository"""


def begin_as_mean(hybrid: keras.Model, first: keras.Model, second: keras.Model) -> bool:
    """Set the hybrid's classifier to the mean of the logits of two models, whose extractors it has.

    Says whether it could: each classifier has to be linear in the pooled features, with no hidden layer before it. What
    the hybrid answers before it is trained is then the geometric mean of what its branches answer, normalised.
    """
    (kernel, _), *branches = (model.get_layer(NAME).get_weights() for model in (hybrid, first, second))
    if any(_hidden(model) for model in (hybrid, first, second)) or first.output_shape != second.output_shape:
        return False
    halves = np.concatenate([weights / 2 for weights, _ in branches])
    if halves.shape != kernel.shape:
        return False
    hybrid.get_layer(NAME).set_weights([halves, (branches[0][1] + branches[1][1]) / 2])
    return True


def _hidden(model: keras.Model) -> bool:
    """Whether a layer with weights lies between the extractors and the classifier."""
    return any(layer.weights and layer.name != NAME for layer in model.layers if not isinstance(layer, keras.Model))

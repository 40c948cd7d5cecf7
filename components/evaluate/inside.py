"""What a network computes on its way from an image to its answer."""

from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits


def features(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the last layer of `model` decides on, for images (N, 48, 48, 1): (N, F)."""
    penultimate = keras.Model(model.inputs, model.layers[-1].input)
    return np.asarray(penultimate.predict(images, batch_size=256, verbose=0), dtype=np.float32)


def embedding(features: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Features (N, F) in the plane, (N, 2), neighbours near each other: t-SNE.

    Source: van der Maaten, Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008. Its axes have no unit.
    """
    perplexity = min(30.0, (len(features) - 1) / 3)  # scikit-learn's own, and what it advises for fewer images
    with threadpool_limits(1):  # on a busy machine OpenMP's threads wait for each other a hundred times as long
        placed: NDArray[np.float32] = TSNE(perplexity=perplexity, random_state=seed).fit_transform(features)
    return placed


def first_maps(model: keras.Model, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """What each filter of the first convolution of `model` answers to an image (48, 48, 1): (H, W, C).

    None where the model has no convolution.
    """
    network = _to_first_convolution(model)
    if network is None:
        return None
    return np.asarray(network.predict(image[None], verbose=0)[0], dtype=np.float32)


def _to_first_convolution(model: keras.Model) -> keras.Model | None:
    """The part of `model` from its input to the first convolution, found in models within the model too."""
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            return keras.Model(model.inputs, layer.output)
        if isinstance(layer, keras.Model) and (part := _to_first_convolution(layer)) is not None:
            return _up_to(model, layer, part)
    return None


def _up_to(model: keras.Model, layer: keras.Model, part: keras.Model) -> keras.Model:
    """`model` from its input to `layer`, of which only `part` is computed.

    Keras does not say what a model within a model receives, so `model` is laid over an input again, and heard.
    """
    heard: list[Any] = []

    def call(one: keras.Layer, *arguments: Any, **options: Any) -> Any:
        if one is layer:
            heard.append(part(*arguments))
        return one(*arguments, **options)

    image = keras.Input(batch_shape=model.input.shape, dtype=model.input.dtype)
    keras.models.clone_model(model, input_tensors=image, clone_function=lambda one: one, call_function=call)
    return keras.Model(image, heard[0])

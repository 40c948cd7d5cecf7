"""Networks of the model contract: uint8 (N, 48, 48, 1) in, float32 (N, 7) or (N, 8) probabilities out, all inside.

An extractor turns an image into a map of features, its head the map into probabilities. The plain head is S1's (the
hybrid of EfficientNetB0 and MobileNetV2): global average pooling, Dense 4096, Dropout, Dense 1024, Dropout, Dense 7 (8
with contempt). The hybrid concatenates the pooled features of two extractors.
"""

import difflib
import math
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import keras
from keras import KerasTensor, layers, ops
from numpy.typing import NDArray

from components.fer.augment import Augment
from components.fer.dataset import EXPRESSIONS, SIDE
from components.fer.errors import InputError, TemporaryError
from components.fer.families import FAMILIES
from components.fer.recipe import Architecture, Recipe

NOISE = 0.01
"""Deviation of the normalised head's noise, on features of deviation 1. S4 does not give its own."""


DAMAGED_FILE = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error)
"""What Keras raises where a file is not what it should be."""


def extractor(architecture: Architecture, image_size: int, weights: str, batch_norm_momentum: float) -> keras.Model:
    """RGB float (N, S, S, 3) in 0..255 to a map of features, float (N, H, W, F); F = 1280 for S1's two architectures.

    `weights` is imagenet, none, or a folder that holds the file Keras publishes. The momentum is set for the whole
    network: MobileNetV2's own, 0.999, lags far behind the weights in a short training.
    Raises `InputError` where there are no such weights, or images are too small for the architecture, and
    `TemporaryError` where they cannot be downloaded.
    """
    family = FAMILIES[architecture]
    if weights != "none" and family.weights_glob is None:
        raise InputError(
            f"weights of {architecture}: expected none (it has no published weights), received {weights}.",
            "Set weights: none for this backbone.",
        )
    if image_size < family.least_size:
        raise InputError(
            f"image_size of {architecture}: expected {family.least_size} or more, received {image_size}.",
            f"Set image_size: {family.least_size} in params.yaml.",
        )
    shape = (image_size, image_size, 3)
    pixels = keras.Input(shape, name="rgb")
    network = family.build(include_top=False, input_shape=shape, weights=None, name=architecture)
    if weights == "imagenet":
        # Not the published network itself: EfficientNet's has a layer more (families.ROOTED).
        _set_weights(network, _published(architecture, shape).get_weights())
    elif family.weights_glob and weights != "none":
        _load_weights(network, _weights_file(Path(weights), family.weights_glob))
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = batch_norm_momentum
    return keras.Model(pixels, network(family.pixels(pixels)), name=f"extractor_{architecture}")


def trained_extractor(path: Path, image_size: int, batch_norm_momentum: float) -> keras.Model:
    """The extractor of the model at `path`, with its weights, for images of a size that may be another.

    Raises `InputError` where it is no model that `single` made.
    """
    source = branch(load(path))
    found = extractor(architecture(source), image_size, "none", batch_norm_momentum)
    _set_weights(found, source.get_weights())
    return found


def freeze(branch: keras.Model, last: str) -> None:
    """Stop the training of an extractor up to its layer `last`; none of it or all of it where `last` says so.

    The batch normalisation of a frozen layer normalises by its running averages, in training too.
    Raises `InputError` where the network has no such layer.
    """
    if last == "none":
        return
    network = _network(branch)
    names = [layer.name for layer in network.layers]
    if last != "all" and last not in names:
        near = difflib.get_close_matches(last, names, 3) or names[-3:]
        raise InputError(
            f"freeze: expected none, all, or a layer of {network.name}, received {last}.",
            f"Did you mean {' or '.join(near)}?",
        )
    for layer in network.layers[: len(names) if last == "all" else names.index(last) + 1]:
        layer.trainable = False


def single(recipe: Recipe, branch: keras.Model, expressions: int = len(EXPRESSIONS)) -> keras.Model:
    """One extractor and the classifier of `expressions`, 7 or 8."""
    return _with_head(recipe, [branch], expressions)


def hybrid(recipe: Recipe, first: keras.Model, second: keras.Model, expressions: int = len(EXPRESSIONS)) -> keras.Model:
    """The features of two extractors, concatenated, and the classifier of `expressions`, 7 or 8."""
    first.name, second.name = "first", "second"  # two branches may be of one architecture
    return _with_head(recipe, [first, second], expressions)


def branch(model: keras.Model) -> keras.Model:
    """The extractor inside a model that `single` made. Raises `InputError` where it is none."""
    found: list[keras.Model] = [layer for layer in model.layers if layer.name.startswith("extractor_")]
    if not found:
        names = ", ".join(layer.name for layer in model.layers)
        raise InputError(
            f"model: expected a layer extractor_ARCHITECTURE, found {names}.", "Give one of train-backbone."
        )
    return found[0]


def architecture(branch: keras.Model) -> Architecture:
    """The architecture of an extractor."""
    names = [layer.name for layer in branch.layers]
    return next(name for name in FAMILIES if name in names)


def depth(model: keras.Model) -> Mapping[str, int]:
    """How far each variable lies below the classifier, by its path, for learning rates that fall with depth.

    The classifier is at 0. An extractor's layers with weights are at 1 where their maps have the smallest size, at 2
    where they have about twice that, and so on to those at the size of the input: four to seven steps in all. So a step
    is what a network does at one resolution, a notion that all architectures share.
    """
    found = {variable.path: 0 for variable in model.weights}
    for extractor in (layer for layer in model.layers if isinstance(layer, keras.Model)):
        octave = _octaves(_network(extractor))
        steps = sorted(set(octave.values()))
        for layer in _network(extractor).layers:
            found |= {variable.path: steps.index(octave[layer.name]) + 1 for variable in layer.weights}
    return found


def _octaves(network: keras.Model) -> dict[str, int]:
    """The height of the map of each layer that has weights, as the nearest power of two.

    It is that of a later layer where that is larger, for squeeze-and-excitation works on maps of one place.
    """
    found: dict[str, int] = {}
    height = 1
    for layer in reversed([layer for layer in network.layers if layer.weights]):
        height = max(height, layer.output.shape[1])
        found[layer.name] = round(math.log2(height))
    return found


def _network(extractor: keras.Model) -> keras.Model:
    """The architecture's own layers inside of an extractor."""
    return extractor.get_layer(architecture(extractor))


def start_from(model: keras.Model, path: Path) -> None:
    """Give `model` the weights of the trained model at `path`, which must have its architecture and head.

    Raises `InputError` where it has not, with the first thing that differs.
    """
    start = load(path)
    for ours, theirs in zip_longest(_described(model), _described(start), fillvalue="nothing"):
        if ours != theirs:
            raise InputError(
                f"model {path}: expected the architecture and the head of this training ({ours}), received {theirs}.",
                "Set architecture, head, dense_1 and dense_2 as they were in the training that is the start.",
            )
    _set_weights(model, start.get_weights())


def _set_weights(model: keras.Model, weights: Sequence[NDArray[Any]]) -> None:
    """Do what `set_weights` does, and tell it those layers that work with a copy of their weights."""
    model.set_weights(weights)
    waiting = list(model.layers)
    while waiting:
        layer = waiting.pop()
        waiting += getattr(layer, "layers", [])
        if isinstance(layer, layers.Normalization):  # EfficientNet's first
            layer.finalize_state()


def _described(model: keras.Model) -> list[str]:
    """The names of a model's extractors, and each weight's kind and shape: layers' names depend on a process' past."""
    extractors = [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    return extractors + [f"{weight.name} {tuple(weight.shape)}" for weight in model.weights]


def _with_head(recipe: Recipe, branches: Sequence[keras.Model], expressions: int) -> keras.Model:
    image = keras.Input((SIDE, SIDE, 1), dtype="uint8", name="image")
    rgb = _rgb(recipe, image)
    features = [_pooled(recipe, branch(rgb), branch.name) for branch in branches]
    x = layers.Concatenate()(features) if len(features) > 1 else features[0]
    widths = [units for units in (recipe.dense_1, recipe.dense_2) if units]
    for number, units in enumerate(widths, start=1):
        x = layers.Dense(units, activation="relu", name=f"dense_{number}")(x)
        if recipe.head == "normalised":
            x = layers.BatchNormalization(momentum=recipe.batch_norm_momentum, name=f"normalised_{number}")(x)
        x = layers.Dropout(recipe.dropout)(x)
    if not widths:
        x = layers.Dropout(recipe.dropout)(x)
    # float32 whatever the precision: a softmax in bfloat16 has two or three decimal digits
    probabilities = layers.Dense(expressions, activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(image, probabilities)


def _pooled(recipe: Recipe, features: KerasTensor, name: str) -> KerasTensor:
    """A map of features averaged over its places; the normalised head is S4's, in S4's order."""
    if recipe.head == "normalised":
        features = layers.BatchNormalization(momentum=recipe.batch_norm_momentum, name=f"normalised_{name}")(features)
        features = layers.GaussianNoise(NOISE)(features)
    return layers.GlobalAveragePooling2D()(features)


def _rgb(recipe: Recipe, image: KerasTensor) -> KerasTensor:
    """Augment the small grey image, resize it, and only then copy it to three channels: the cheapest order."""
    x = ops.cast(image, "float32")
    x = Augment(
        flip=recipe.flip,
        rotation=recipe.rotation,
        shift=recipe.shift,
        zoom=recipe.zoom,
        brightness=recipe.brightness,
        contrast=recipe.contrast,
        gamma=recipe.gamma,
        erasing=recipe.erasing,
        seed=recipe.seed,
        dtype="float32",
    )(x)
    if recipe.image_size != SIDE:
        # Not layers.Resizing: it is in training mode by default, and where a model is called without saying which mode,
        # Keras 3.15 then puts the layers behind it in training mode too (batch normalisation of what is served!).
        x = ops.image.resize(x, (recipe.image_size, recipe.image_size))
    return layers.Concatenate(dtype="float32")([x, x, x])


def _published(architecture: Architecture, shape: tuple[int, int, int]) -> keras.Model:
    """The network with ImageNet's weights, which Keras downloads where it has not done so before."""
    try:
        return FAMILIES[architecture].build(include_top=False, input_shape=shape, weights="imagenet")
    except Exception as error:
        if "URL fetch failure" not in str(error):  # Keras has no class of its own for that
            raise
        raise TemporaryError(
            f"weights of {architecture}: expected a download of ImageNet's, received: {error}",
            "See to the network, then start the same command again, or set weights to a folder that has Keras' file.",
        ) from error


def _load_weights(network: keras.Model, file: Path) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras warns where it leaves layers as they were
            network.load_weights(file)
    except (*DAMAGED_FILE, UserWarning) as error:
        raise InputError(
            f"weights {file}: expected those of {network.name} without its top, received: {error}",
            "Fetch the file that Keras publishes again.",
        ) from error


def _weights_file(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise InputError(
            f"weights folder {folder}: expected a file {pattern}, found none.",
            "Set weights to imagenet (Keras downloads them), to none, or to the folder that has the file.",
        )
    return found[0]


def save(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file, also under a name without that suffix (as Kubeflow gives)."""
    written = path.with_name(f"{path.name}.keras")
    model.save(written)
    written.replace(path)


def load(path: Path) -> keras.Model:
    """Read what `save` wrote. Raises `InputError` where the file is no Keras model."""
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / "model.keras"  # Keras tells the format by the suffix
        named.symlink_to(path.resolve())
        try:
            return keras.saving.load_model(named)
        except DAMAGED_FILE as error:
            received = str(error).replace(str(named), str(path))
            raise InputError(
                f"model {path}: expected a Keras model (.keras), received: {received}",
                "Name one that train-backbone or train-hybrid wrote, or run that stage again.",
            ) from error

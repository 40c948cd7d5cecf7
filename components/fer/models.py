"""Networks of the model contract: uint8 (N, 48, 48, 1) in, float32 (N, 7) probabilities out, everything inside.

The design is S1's (hybrid of EfficientNetB0 and MobileNetV2): an extractor of keras.applications with global average
pooling, Dense 4096, Dropout, Dense 1024, Dropout, Dense 7; the hybrid concatenates the features of two extractors.
"""

import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
from keras import KerasTensor, layers, ops

from components.fer import compact
from components.fer.augment import Augment
from components.fer.dataset import EXPRESSIONS, SIDE
from components.fer.errors import InputError
from components.fer.recipe import Architecture, Recipe


@dataclass(frozen=True)
class Family:
    """What is particular to one architecture of keras.applications."""

    build: Callable[..., keras.Model]
    scale: float
    """factor on grey values 0..255"""
    offset: float
    """added after scaling: together they do what the architecture's own preprocess_input does"""
    weights_glob: str | None
    """file that Keras publishes for the extractor alone; none where there are no published weights"""


FAMILIES: dict[Architecture, Family] = {
    # EfficientNet normalises inside the network and takes 0..255; MobileNetV2 takes -1..1. A wrong scale costs points
    # without a word, hence the test against preprocess_input.
    "efficientnet_b0": Family(keras.applications.EfficientNetB0, 1.0, 0.0, "efficientnetb0*notop*.h5"),
    "mobilenet_v2": Family(keras.applications.MobileNetV2, 1 / 127.5, -1.0, "mobilenet_v2*1.0_224_no_top*.h5"),
    "vgg_small": Family(compact.vgg_small, 1 / 127.5, -1.0, None),
    "resnet_small": Family(compact.resnet_small, 1 / 127.5, -1.0, None),
}


def extractor(architecture: Architecture, image_size: int, weights: str, batch_norm_momentum: float) -> keras.Model:
    """RGB float (N, S, S, 3) in 0..255 to pooled features float (N, F), F = 1280 for S1's two architectures.

    `weights` is imagenet, none, or a folder that holds the file Keras publishes. The momentum is set for the whole
    network: MobileNetV2's own, 0.999, lags far behind the weights in a short training.
    Raises `InputError` where there are no such weights.
    """
    family = FAMILIES[architecture]
    if weights != "none" and family.weights_glob is None:
        raise InputError(
            f"weights of {architecture}: expected none (it has no published weights), received {weights}.",
            "Set weights: none for this backbone.",
        )
    pixels = keras.Input((image_size, image_size, 3), name="rgb")
    network = family.build(
        include_top=False,
        input_shape=(image_size, image_size, 3),
        weights="imagenet" if weights == "imagenet" else None,
        name=architecture,
    )
    if family.weights_glob and weights not in ("imagenet", "none"):
        network.load_weights(_weights_file(Path(weights), family.weights_glob))
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = batch_norm_momentum
    features = network(layers.Rescaling(family.scale, family.offset)(pixels))
    return keras.Model(pixels, layers.GlobalAveragePooling2D()(features), name=f"extractor_{architecture}")


def single(recipe: Recipe, branch: keras.Model) -> keras.Model:
    """One extractor and the classifier."""
    return _classifier(recipe, [branch])


def hybrid(recipe: Recipe, first: keras.Model, second: keras.Model) -> keras.Model:
    """The features of two extractors, concatenated, and the classifier."""
    first.name, second.name = "first", "second"  # two branches may be of one architecture
    return _classifier(recipe, [first, second])


def branch(model: keras.Model) -> keras.Model:
    """The extractor inside a model that `single` made."""
    return next(layer for layer in model.layers if layer.name.startswith("extractor_"))


def architecture(branch: keras.Model) -> Architecture:
    """The architecture of an extractor."""
    names = [layer.name for layer in branch.layers]
    return next(name for name in FAMILIES if name in names)


def _classifier(recipe: Recipe, branches: Sequence[keras.Model]) -> keras.Model:
    image = keras.Input((SIDE, SIDE, 1), dtype="uint8", name="image")
    x = _rgb(recipe, image)
    features = [branch(x) for branch in branches]
    x = layers.Concatenate()(features) if len(features) > 1 else features[0]
    for units in (recipe.dense_1, recipe.dense_2):
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(recipe.dropout)(x)
    # float32 whatever the precision: a softmax in bfloat16 has two or three decimal digits
    probabilities = layers.Dense(len(EXPRESSIONS), activation="softmax", dtype="float32", name="probabilities")(x)
    return keras.Model(image, probabilities)


def _rgb(recipe: Recipe, image: KerasTensor) -> KerasTensor:
    """Augment the small grey image, resize it, and only then copy it to three channels: the cheapest order."""
    x = ops.cast(image, "float32")
    x = Augment(
        recipe.flip,
        recipe.rotation,
        recipe.shift,
        recipe.zoom,
        recipe.brightness,
        recipe.contrast,
        recipe.seed,
        dtype="float32",
    )(x)
    if recipe.image_size != SIDE:
        # Not layers.Resizing: it is in training mode by default, and where a model is called without saying which mode,
        # Keras 3.15 then puts the layers behind it in training mode too (batch normalisation of what is served!).
        x = ops.image.resize(x, (recipe.image_size, recipe.image_size))
    return layers.Concatenate(dtype="float32")([x, x, x])


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
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"model {path}: expected a Keras model (.keras), received: {error}") from error


def export(model: keras.Model, folder: Path) -> None:
    """Write a SavedModel whose signature `serve` takes uint8 (N, 48, 48, 1) and returns float32 (N, 7)."""
    logging.getLogger("tensorflow").setLevel(logging.WARNING)  # it would name the folder, which is a temporary one
    model.export(folder, verbose=False)

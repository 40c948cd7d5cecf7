"""The model contract: uint8 in, probabilities out, the right scale for each extractor, weights where they belong."""

import os
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from components.fer import models
from components.fer.dataset import Prepared
from components.fer.errors import InputError
from components.fer.recipe import Architecture, Recipe
from tests.components.fer.conftest import small_recipe

ARCHITECTURES: tuple[Architecture, ...] = ("efficientnet_b0", "mobilenet_v2")
PREPROCESS = {
    "efficientnet_b0": keras.applications.efficientnet.preprocess_input,
    "mobilenet_v2": keras.applications.mobilenet_v2.preprocess_input,
}


def extractor(architecture: Architecture, weights: str = "none", size: int = 32) -> keras.Model:
    return models.extractor(architecture, size, weights, batch_norm_momentum=0.9)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return small_recipe()


@pytest.fixture(scope="module")
def single(recipe: Recipe) -> keras.Model:
    return models.single(recipe, extractor("mobilenet_v2"))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_each_extractor_gets_the_scale_of_its_own_preprocess_input(architecture: Architecture) -> None:
    rgb = np.random.default_rng(1).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    whole = extractor(architecture)
    network = whole.get_layer(architecture)
    expected = np.asarray(network(PREPROCESS[architecture](rgb.copy()), training=False)).mean(axis=(1, 2))
    assert np.allclose(np.asarray(whole(rgb, training=False)), expected, atol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_momentum_is_set_for_the_whole_network(architecture: Architecture) -> None:
    network = extractor(architecture).get_layer(architecture)
    momenta = {layer.momentum for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)}
    assert momenta == {0.9}


def test_model_contract(single: keras.Model, few: Prepared) -> None:
    assert single.input_shape == (None, 48, 48, 1)
    assert single.inputs[0].dtype == "uint8"
    probabilities = single.predict(few["public"].images, verbose=0)
    assert (probabilities.dtype, probabilities.shape) == (np.float32, (28, 7))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_design_of_the_classifier(recipe: Recipe, single: keras.Model) -> None:
    kinds = [type(layer).__name__ for layer in single.layers[-5:]]
    assert kinds == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]
    assert [layer.units for layer in single.layers[-5::2]] == [recipe.dense_1, recipe.dense_2, 7]


def test_probabilities_are_float32_in_mixed_precision() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = models.single(small_recipe(), extractor("mobilenet_v2"))
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.output.dtype == "float32"
    assert model.layers[-2].compute_dtype == "bfloat16"


def test_inference_is_without_chance(single: keras.Model, few: Prepared) -> None:
    first, again = (np.asarray(single(few["public"].images, training=False)) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(np.asarray(single(few["public"].images)), first)  # the mode is inference unless said
    assert not np.array_equal(np.asarray(single(few["public"].images, training=True)), first)


def test_saved_and_loaded_models_answer_the_same(single: keras.Model, few: Prepared, tmp_path: Path) -> None:
    path = tmp_path / "model"  # Kubeflow's names have no suffix
    models.save(single, path)
    expected = single.predict(few["public"].images, verbose=0)
    assert np.array_equal(models.load(path).predict(few["public"].images, verbose=0), expected)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("image_size", [32, 48, 64])
def test_the_saved_model_answers_the_same(
    image_size: int, tiny_extractor: keras.Model, few: Prepared, tmp_path: Path
) -> None:
    import tensorflow as tf

    single = models.single(small_recipe(image_size=image_size), extractor("mobilenet_v2", size=image_size))
    models.export(single, tmp_path / "saved_model")
    served = tf.saved_model.load(tmp_path / "saved_model")  # the variables live as long as this
    expected = single.predict(few["public"].images, verbose=0)
    assert np.allclose(served.serve(few["public"].images), expected, atol=1e-6)


def test_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_text("not a model")
    with pytest.raises(InputError, match=r"model .*: expected a Keras model \(\.keras\), received:"):
        models.load(path)


def test_weights_of_a_folder(tmp_path: Path) -> None:
    source = extractor("mobilenet_v2").get_layer("mobilenet_v2")
    source.save_weights(tmp_path / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.weights.h5")
    loaded = extractor("mobilenet_v2", weights=str(tmp_path)).get_layer("mobilenet_v2")
    for ours, theirs in zip(loaded.get_weights(), source.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_a_folder_without_the_weights(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        extractor("efficientnet_b0", weights=str(tmp_path))
    assert str(error.value) == (
        f"weights folder {tmp_path}: expected a file efficientnetb0*notop*.h5, found none.\n"
        "Set weights to imagenet (Keras downloads them), to none, or to the folder that has the file."
    )


@pytest.mark.slow
def test_the_published_imagenet_weights() -> None:
    """The first kernel is that of the file; set WEIGHTS to a folder that has Keras' files."""
    folder = os.environ.get("WEIGHTS")
    if not folder:
        pytest.skip("no ImageNet weights at hand (set WEIGHTS to a folder with Keras' MobileNetV2 file)")
    (path,) = Path(folder).glob("mobilenet_v2*")
    kernels = []
    with h5py.File(path) as file:
        file.visititems(
            lambda _, entry: kernels.append(entry[:]) if getattr(entry, "shape", ()) == (3, 3, 3, 32) else None
        )
    loaded = extractor("mobilenet_v2", folder, 96).get_layer("mobilenet_v2").get_layer("Conv1").get_weights()[0]
    assert any(np.array_equal(kernel, loaded) for kernel in kernels)


def test_branches_of_a_hybrid_keep_their_weights(recipe: Recipe, single: keras.Model) -> None:
    branch = models.branch(single)
    assert models.architecture(branch) == "mobilenet_v2"
    before = [weight.copy() for weight in branch.get_weights()]
    other = models.branch(models.single(recipe, extractor("mobilenet_v2")))
    hybrid = models.hybrid(recipe, branch, other)
    for ours, theirs in zip(hybrid.get_layer("first").get_weights(), before, strict=True):
        assert np.array_equal(ours, theirs)
    assert hybrid.get_layer("second").count_params() == branch.count_params()

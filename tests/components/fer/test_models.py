"""The model contract: uint8 in, probabilities out, the right scale for each extractor, weights where they belong."""

import os
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from components.fer import models
from components.fer.dataset import Prepared
from components.fer.errors import InputError, TemporaryError
from components.fer.recipe import Architecture, Recipe
from tests.components.fer.conftest import small_recipe


def extractor(architecture: Architecture, weights: str = "none", size: int = 32) -> keras.Model:
    return models.extractor(architecture, size, weights, batch_norm_momentum=0.9)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return small_recipe()


@pytest.fixture(scope="module")
def single(recipe: Recipe) -> keras.Model:
    return models.single(recipe, extractor("mobilenet_v2"))


def test_an_extractor_gives_a_map_of_features_of_the_pixels_that_its_architecture_takes() -> None:
    rgb = np.random.default_rng(1).uniform(0, 255, (2, 48, 48, 3)).astype(np.float32)
    whole = extractor("vgg16", size=48)
    expected = np.asarray(whole.get_layer("vgg16")(keras.applications.vgg16.preprocess_input(rgb.copy())))
    assert expected.shape == (2, 1, 1, 512)
    assert np.abs(whole(rgb, training=False) - expected).max() < 1e-4 * expected.max()


def test_the_momentum_is_set_for_the_whole_network() -> None:
    network = extractor("mobilenet_v2").get_layer("mobilenet_v2")
    momenta = {layer.momentum for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)}
    assert momenta == {0.9}


def test_model_contract(single: keras.Model, few: Prepared) -> None:
    assert single.input_shape == (None, 48, 48, 1)
    assert single.inputs[0].dtype == "uint8"
    probabilities = single.predict(few["public"].images, verbose=0)
    assert (probabilities.dtype, probabilities.shape) == (np.float32, (28, 7))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def kinds(model: keras.Model, behind: str) -> list[str]:
    """The layers of the head: those behind the extractor `behind`."""
    names = [layer.name for layer in model.layers]
    return [type(layer).__name__ for layer in model.layers[names.index(behind) + 1 :]]


def test_the_plain_head(recipe: Recipe, single: keras.Model) -> None:
    found = kinds(single, "extractor_mobilenet_v2")
    assert found == ["GlobalAveragePooling2D", "Dense", "Dropout", "Dense", "Dropout", "Dense"]
    assert [layer.units for layer in single.layers[-5::2]] == [recipe.dense_1, recipe.dense_2, 7]


@pytest.mark.parametrize(
    ("dense_1", "dense_2", "expected"),
    [(0, 0, ["Dropout", "Dense"]), (16, 0, ["Dense", "Dropout", "Dense"]), (0, 8, ["Dense", "Dropout", "Dense"])],
)
def test_a_head_with_fewer_layers(dense_1: int, dense_2: int, expected: list[str], tiny_extractor: keras.Model) -> None:
    """S2's has none but the last, S3's has one more."""
    model = models.single(small_recipe(dense_1=dense_1, dense_2=dense_2), tiny_extractor)
    assert kinds(model, "extractor_mobilenet_v2") == ["GlobalAveragePooling2D", *expected]


def test_the_normalised_head_is_that_of_s4_in_layers_and_parameters() -> None:
    branch = extractor("vgg16", size=48)
    models.freeze(branch, "block3_pool")
    model = models.single(small_recipe(image_size=48, head="normalised", dense_1=256, dense_2=128), branch)
    normalised_dense = ["Dense", "BatchNormalization", "Dropout"]
    head = ["BatchNormalization", "GaussianNoise", "GlobalAveragePooling2D", *normalised_dense, *normalised_dense]
    assert kinds(model, "extractor_vgg16") == [*head, "Dense"]
    counts = [sum(int(np.prod(weight.shape)) for weight in weights) for weights in trained_and_not(model)]
    assert (model.count_params(), *counts) == (14_883_399, 13_146_119, 1_737_280)


def trained_and_not(model: keras.Model) -> tuple[list[keras.Variable], list[keras.Variable]]:
    return model.trainable_weights, model.non_trainable_weights


def test_the_hybrid_of_normalised_heads_pools_before_it_concatenates() -> None:
    """The maps of two architectures need not have one size."""
    recipe = small_recipe(head="normalised")
    hybrid = models.hybrid(recipe, extractor("vgg_small"), extractor("resnet_small"))
    assert hybrid.get_layer("dense_1").input.shape == (None, 256 + 256)


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


def test_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_text("not a model")
    with pytest.raises(InputError, match=r"model .*: expected a Keras model \(\.keras\), received:"):
        models.load(path)


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_a_model_with_a_changed_byte_is_told(member: str, single: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "model"
    models.save(single, path)
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(member)
    content = bytearray(path.read_bytes())
    content[entry.header_offset + entry.compress_size // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"model {path}: expected a Keras model"):
        models.load(path)


def test_a_model_that_is_not_there_is_told_by_its_own_path(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        models.load(tmp_path / "absent")
    assert str(error.value).count(str(tmp_path / "absent")) == 2
    assert "or run that stage again" in str(error.value)


def test_a_model_with_code_in_it_is_refused_and_not_run(tmp_path: Path) -> None:
    """A Lambda layer's function is stored as bytecode, and would run here."""
    ran = str(tmp_path / "ran")
    image = keras.Input((48, 48, 1))
    answer = keras.layers.Lambda(lambda pixels: (__import__("os").mkdir(ran), pixels)[1])(image)
    keras.Model(image, answer).save(tmp_path / "model.keras")
    Path(ran).rmdir()
    with pytest.raises(InputError, match="Lambda"):
        models.load(tmp_path / "model.keras")
    assert not Path(ran).exists()


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


@pytest.mark.parametrize("damage", [b"", b"not HDF5"])
def test_a_damaged_file_of_weights(damage: bytes, tmp_path: Path) -> None:
    file = tmp_path / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.weights.h5"
    file.write_bytes(damage)
    with pytest.raises(InputError, match=f"weights {file}: expected those of mobilenet_v2 without its top, received"):
        extractor("mobilenet_v2", weights=str(tmp_path))


def test_weights_of_another_network(tmp_path: Path) -> None:
    file = tmp_path / "mobilenet_v2_1.0_224_no_top.weights.h5"
    extractor("vgg_small").get_layer("vgg_small").save_weights(file)
    with pytest.raises(InputError, match=f"weights {file}: expected those of mobilenet_v2"):
        extractor("mobilenet_v2", weights=str(tmp_path))


def test_a_download_that_fails_may_be_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By Keras' own download, from an address where nothing listens."""
    monkeypatch.setattr("keras.src.applications.mobilenet_v2.BASE_WEIGHT_PATH", "http://127.0.0.1:9/")
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    with pytest.raises(
        TemporaryError, match="weights of mobilenet_v2: expected a download of ImageNet's, received: URL"
    ):
        extractor("mobilenet_v2", "imagenet", 96)


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


@pytest.mark.parametrize(
    ("last", "trained"),
    [
        ("none", {"vgg0", "vgg1_1", "vgg1_2", "vgg2_1", "vgg2_2", "vgg3_1", "vgg3_2"}),
        ("vgg1_pool", {"vgg2_1", "vgg2_2", "vgg3_1", "vgg3_2"}),
        ("vgg2_1_bn", {"vgg2_2", "vgg3_1", "vgg3_2"}),
        ("all", set()),
    ],
)
def test_frozen_up_to_a_layer(last: str, trained: set[str]) -> None:
    branch = extractor("vgg_small")
    models.freeze(branch, last)
    kernels = [weight.path for weight in branch.trainable_weights if weight.name == "kernel"]
    assert {path.removesuffix("_conv/kernel") for path in kernels} == trained


def test_the_batch_normalisation_of_frozen_layers_stands_still(few: Prepared) -> None:
    branch = extractor("vgg_small")
    models.freeze(branch, "vgg2_pool")
    model = models.single(small_recipe(), branch)
    before = {weight.path: np.array(weight) for weight in branch.weights}
    model(few["training"].images[:16], training=True)
    moved = {weight.path for weight in branch.weights if not np.array_equal(np.array(weight), before[weight.path])}
    assert moved == {f"vgg3_{number}_bn/moving_{what}" for number in (1, 2) for what in ("mean", "variance")}


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(InputError) as error:
        models.freeze(extractor("vgg_small"), "vgg2_pol")
    assert str(error.value).startswith(
        "freeze: expected none, all, or a layer of vgg_small, received vgg2_pol.\nDid you mean vgg2_pool or "
    )


def test_depth_counts_resolutions_from_the_end_of_each_extractor() -> None:
    hybrid = models.hybrid(small_recipe(), extractor("vgg_small"), extractor("resnet_small"))
    depth = models.depth(hybrid)
    assert depth.keys() == {weight.path for weight in hybrid.weights}
    assert [depth[f"{name}/kernel"] for name in ("probabilities", "dense_2", "dense_1")] == [0, 0, 0]
    assert [depth[f"vgg{name}_conv/kernel"] for name in ("3_2", "3_1", "2_2", "1_1", "0")] == [1, 1, 2, 3, 3]
    assert [depth[f"resnet{name}/gamma"] for name in ("3_2_bn", "3_bn", "1_bn", "0_bn")] == [1, 2, 4, 4]


def test_depth_sees_squeeze_and_excitation_at_the_resolution_that_it_is_for() -> None:
    depth = models.depth(models.single(small_recipe(), extractor("efficientnet_b0")))
    assert depth["block3a_se_reduce/kernel"] == depth["block3a_project_conv/kernel"] == 3
    assert depth["stem_conv/kernel"] == 5


def answers(model: keras.Model, few: Prepared) -> np.ndarray[Any, Any]:
    return np.asarray(model(few["public"].images, training=False))


def test_a_start_gives_all_weights_whatever_was_frozen(few: Prepared, tmp_path: Path) -> None:
    branch = extractor("vgg_small")
    models.freeze(branch, "vgg2_pool")
    start = models.single(small_recipe(), branch)
    models.save(start, tmp_path / "start")
    model = models.single(small_recipe(dropout=0.5), extractor("vgg_small"))
    models.start_from(model, tmp_path / "start")
    assert np.array_equal(answers(model, few), answers(start, few))
    assert len(model.trainable_weights) > len(start.trainable_weights)


@pytest.mark.parametrize(
    ("architecture", "changes", "told"),
    [
        ("resnet_small", {}, "(extractor_resnet_small), received extractor_vgg_small"),
        ("vgg_small", {"dense_2": 4}, "(kernel (16, 4)), received kernel (16, 8)"),
        ("vgg_small", {"dense_2": 0}, "(kernel (16, 7)), received kernel (16, 8)"),
    ],
)
def test_a_start_of_another_training(
    architecture: Architecture, changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    models.save(models.single(small_recipe(), extractor("vgg_small")), tmp_path / "start")
    model = models.single(small_recipe(**changes), extractor(architecture))
    with pytest.raises(InputError) as error:
        models.start_from(model, tmp_path / "start")
    assert str(error.value).splitlines()[0] == (
        f"model {tmp_path / 'start'}: expected the architecture and the head of this training {told}."
    )


@pytest.mark.slow
def test_a_trained_extractor_for_images_of_another_size(tmp_path: Path) -> None:
    """With EfficientNet, whose standardisation works with a copy of its weights."""
    trained = extractor("efficientnet_b0", size=48)
    standardising = trained.get_layer("efficientnet_b0").layers[2]
    standardising.set_weights([np.array([0.5, 0.4, 0.3]), np.array([0.1, 0.2, 0.3]), np.array(0)])
    standardising.finalize_state()
    models.save(models.single(small_recipe(image_size=48), trained), tmp_path / "model")
    again, smaller = (models.trained_extractor(tmp_path / "model", size, 0.9) for size in (48, 32))
    rgb = np.random.default_rng(1).uniform(0, 255, (2, 48, 48, 3)).astype(np.float32)
    assert np.array_equal(again(rgb, training=False), trained(rgb, training=False))
    assert smaller.input_shape == (None, 32, 32, 3)
    assert all(np.array_equal(*pair) for pair in zip(smaller.get_weights(), trained.get_weights(), strict=True))


def test_a_model_that_has_no_extractor() -> None:
    image = keras.Input((48, 48, 1), name="image")
    model = keras.Model(image, keras.layers.Dense(7, name="probabilities")(image))
    with pytest.raises(InputError, match="expected a layer extractor_ARCHITECTURE, found image, probabilities"):
        models.branch(model)

"""Batch normalisation as one operation answers as Keras' own does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from components.fer.fused import FusedBatchNormalization


@pytest.fixture
def policy() -> Iterator[Callable[[str], None]]:
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


FEATURES = np.random.default_rng(1).normal(2, 3, (16, 8, 8, 4)).astype(np.float32)


def both() -> tuple[keras.Model, keras.Model]:
    """The layer and Keras' own, with the same weights."""
    models = []
    for layer in (FusedBatchNormalization(momentum=0.9), keras.layers.BatchNormalization(momentum=0.9)):
        features = keras.Input((8, 8, 4))
        models.append(keras.Model(features, layer(features)))
    fused, own = models
    own.set_weights([weight + number for number, weight in enumerate(own.get_weights(), 1)])
    fused.set_weights(own.get_weights())
    return fused, own


@pytest.mark.parametrize("training", [True, False])
def test_answers_and_running_averages(training: bool) -> None:
    fused, own = both()
    one, other = (keras.ops.convert_to_numpy(model(FEATURES, training=training)) for model in (fused, own))
    assert one == pytest.approx(other, abs=0.005)  # the kernel has a rounding of its own
    for mine, theirs in zip(fused.get_weights(), own.get_weights(), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-3)  # N - 1 = 1,023 instead of N = 1,024
    assert not training or not np.array_equal(own.get_weights()[2], np.full(4, 3.0))


def test_frozen_it_keeps_its_averages() -> None:
    fused, own = both()
    fused.trainable = own.trainable = False
    before = fused.get_weights()
    answers = [keras.ops.convert_to_numpy(model(FEATURES, training=True)) for model in (fused, own)]
    assert answers[0] == pytest.approx(answers[1], abs=0.005)
    assert all(np.array_equal(now, was) for now, was in zip(fused.get_weights(), before, strict=True))


def test_gradients() -> None:
    mine, theirs = (gradients(model, keras.ops.convert_to_tensor(FEATURES)) for model in both())
    for one, other in zip(mine[:-1], theirs[:-1], strict=True):
        assert one == pytest.approx(other, rel=1e-3)
    assert np.linalg.norm(mine[-1] - theirs[-1]) <= 1e-4 * np.linalg.norm(theirs[-1])


def test_gradients_in_bfloat16(policy: Callable[[str], None]) -> None:
    """Of weights and features, as those in float32 for the same rounded features."""
    import tensorflow as tf

    fused, _ = both()
    policy("mixed_bfloat16")
    rounded, _ = both()
    features = tf.cast(FEATURES, tf.bfloat16)
    for mine, theirs in zip(gradients(rounded, features), gradients(fused, tf.cast(features, tf.float32)), strict=True):
        assert np.linalg.norm(mine - theirs) <= 0.01 * np.linalg.norm(theirs)


def gradients(model: keras.Model, features: Any) -> list[NDArray[np.float32]]:
    """Of the sum of the answers' cubes, by the weights that are trained and by the features."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(features)
        loss = tf.reduce_sum(tf.cast(model(features, training=True), tf.float32) ** 3)
    found = tape.gradient(loss, [*(weight.value for weight in model.trainable_weights), features])
    return [np.asarray(tf.cast(gradient, tf.float32)) for gradient in found]


def test_a_saved_model_has_it(tmp_path: Path) -> None:
    fused, _ = both()
    fused.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[1]) is FusedBatchNormalization
    assert np.array_equal(loaded.predict(FEATURES, verbose=0), fused.predict(FEATURES, verbose=0))


@pytest.mark.parametrize("training", [True, False])
def test_in_bfloat16_it_answers_as_in_float32(training: bool, policy: Callable[[str], None]) -> None:
    """To the eight bits of bfloat16; the running averages, which are float32, better than that."""
    fused, _ = both()
    policy("mixed_bfloat16")
    rounded, _ = both()
    answers = [keras.ops.convert_to_numpy(model(FEATURES, training=training)) for model in (rounded, fused)]
    assert answers[0].dtype == "bfloat16"
    assert answers[0].astype(np.float32) == pytest.approx(answers[1], abs=0.1)
    for mine, theirs in zip(rounded.get_weights(), fused.get_weights(), strict=True):
        assert mine.dtype == np.float32
        assert mine == pytest.approx(theirs, rel=1e-3)


def test_in_bfloat16_it_is_one_operation(policy: Callable[[str], None]) -> None:
    policy("mixed_bfloat16")
    fused, own = both()
    operations = [[operation.type for operation in concrete(model).graph.get_operations()] for model in (fused, own)]
    assert "FusedBatchNormV3" in operations[0]
    assert "FusedBatchNormV3" not in operations[1]


def concrete(model: keras.Model) -> Any:
    """The graph of a step forward in training."""
    import tensorflow as tf

    signature = tf.TensorSpec((None, 8, 8, 4), tf.float32)
    return tf.function(lambda features: model(features, training=True)).get_concrete_function(signature)


def test_other_shapes_and_precisions_are_keras_own(policy: Callable[[str], None]) -> None:
    assert FusedBatchNormalization()(np.ones((4, 3), np.float32), training=True).shape == (4, 3)
    policy("mixed_float16")
    assert FusedBatchNormalization()(np.ones((4, 8, 8, 2)), training=True).dtype == "float16"

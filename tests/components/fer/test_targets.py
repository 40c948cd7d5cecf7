"""What a training learns from each image."""

from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from components.fer import models
from components.fer.dataset import Prepared, Split
from components.fer.errors import InputError
from components.fer.targets import accuracy, loss, mixed, one_hot, softened, targets
from tests.components.fer.conftest import small_recipe


def probabilities(*rows: int) -> np.ndarray:
    """Rows that sum to 1, by seed."""
    return np.random.default_rng(rows[0]).dirichlet(np.ones(7), len(rows)).astype(np.float32)


def test_labels(few: Prepared) -> None:
    taught = targets(few["public"], small_recipe(), 7)
    assert taught.dtype == np.float32
    assert np.array_equal(taught.argmax(axis=1), few["public"].label)
    assert np.array_equal(taught.sum(axis=1), np.ones(len(taught)))


def test_votes_take_the_place_of_labels(few: Prepared, tmp_path: Path) -> None:
    rows = "".join(f"Training,,{10 - i % 10},{i % 10},0,0,0,0,0,0,0,0\n" for i in range(70))
    names = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    (tmp_path / "votes.csv").write_text(f"Usage,Image name,{names}\n{rows}")
    taught = targets(few["training"], small_recipe(soft_labels=str(tmp_path / "votes.csv")), 7)
    assert taught[:, 6] == pytest.approx([1 - i % 10 / 10 for i in range(70)])
    assert taught[:, 3] == pytest.approx([i % 10 / 10 for i in range(70)])


@pytest.mark.slow
def test_teachers_answer_by_their_mean_over_mirror_images(
    few: Prepared, tiny_extractor: keras.Model, tmp_path: Path
) -> None:
    recipe = small_recipe(teachers=f"{tmp_path / 'a'}, {tmp_path / 'b'}", temperature=3.0)
    answers = []
    for name, seed in (("a", 1), ("b", 2)):
        keras.utils.set_random_seed(seed)
        teacher = models.single(recipe, tiny_extractor)
        models.save(teacher, tmp_path / name)
        images = few["public"].images
        answers += [teacher.predict(given, verbose=0) for given in (images, images[:, :, ::-1])]
    taught = targets(few["public"], recipe, 7)
    assert taught.shape == (28, 14)
    assert np.array_equal(taught[:, :7], one_hot(few["public"], 7))
    assert taught[:, 7:] == pytest.approx(softened(np.mean(answers, axis=0), 3.0), abs=1e-6)


def test_a_teacher_that_is_none(few: Prepared, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"model .*a: expected a Keras model"):
        targets(few["public"], small_recipe(teachers=str(tmp_path / "a")), 7)


@pytest.mark.parametrize(
    ("shape", "width", "problem"),
    [
        ((32, 32, 1), 7, r"model .*a: expected uint8"),
        ((48, 48, 1), 8, "teacher .*a: expected 7 prob.*received 8"),
    ],
)
def test_a_teacher_of_other_images_or_expressions(
    shape: tuple[int, ...], width: int, problem: str, few: Prepared, tmp_path: Path
) -> None:
    image = keras.Input(shape, dtype="uint8")
    answer = keras.layers.Dense(width, activation="softmax")(keras.layers.Flatten()(ops.cast(image, "float32")))
    models.save(keras.Model(image, answer), tmp_path / "a")
    with pytest.raises(InputError, match=problem):
        targets(few["public"], small_recipe(teachers=str(tmp_path / "a")), 7)


@given(st.integers(0, 99), st.floats(0.5, 10))
def test_softening_keeps_order_and_sum(seed: int, temperature: float) -> None:
    sharp = probabilities(seed, 1, 2)
    soft = softened(sharp, temperature)
    assert soft.sum(axis=1) == pytest.approx(np.ones(3))
    assert np.array_equal(soft.argmax(axis=1), sharp.argmax(axis=1))
    if temperature >= 1:
        assert (soft.max(axis=1) <= sharp.max(axis=1) + 1e-6).all()


def test_softening_by_one_changes_nothing() -> None:
    assert softened(probabilities(1, 2), 1.0) == pytest.approx(probabilities(1, 2), abs=1e-6)


@given(st.integers(0, 99), st.floats(0.1, 5))
def test_mixup_mixes_pixels_and_targets_by_the_same_share(seed: int, alpha: float) -> None:
    """Image i has the grey value 10 i everywhere and target e_i, so that a mixture tells its shares by both."""
    images = np.repeat(10 * np.arange(7, dtype=np.uint8), 4).reshape(7, 2, 2, 1)
    pixels, taught = mixed(images, np.eye(7, dtype=np.float32), alpha, np.random.default_rng(seed))
    assert pixels.dtype == np.uint8
    assert taught.sum(axis=1) == pytest.approx(np.ones(7))
    assert pixels[:, 0, 0, 0] == pytest.approx(taught @ (10 * np.arange(7)), abs=0.5 + 1e-4)


def test_without_teachers_the_loss_is_that_of_keras() -> None:
    taught, answer = np.eye(7, dtype=np.float32), probabilities(*range(7))
    keras_says = keras.losses.categorical_crossentropy(taught, answer, label_smoothing=0.1)
    assert np.array(loss(small_recipe())(ops.array(taught), ops.array(answer))) == pytest.approx(np.array(keras_says))


def test_half_of_the_loss_is_the_divergence_from_the_teachers() -> None:
    """Against the formula in NumPy, from logits: half CE, half T^2 KL(teacher at T || student at T)."""
    recipe, temperature = small_recipe(label_smoothing=0.0, teachers="some", temperature=2.0), 2.0
    label, answer = np.eye(7, dtype=np.float32)[[3, 5]], probabilities(1, 2)
    teacher, student = softened(probabilities(3, 4), temperature), softened(answer, temperature)
    divergence = (teacher * np.log(teacher / student)).sum(axis=1)
    expected = (-np.log(answer[[0, 1], [3, 5]]) + temperature**2 * divergence) / 2
    taught = ops.array(np.concatenate([label, teacher], axis=1))
    assert np.array(loss(recipe)(taught, ops.array(answer))) == pytest.approx(expected, rel=1e-4)


def test_accuracy_looks_at_labels_alone() -> None:
    taught = np.concatenate([np.eye(7)[[0, 1]], np.eye(7)[[5, 5]]], axis=1)
    assert np.array(accuracy(ops.array(taught), ops.array(np.eye(7)[[0, 5]]))).tolist() == [1, 0]


def test_a_split_without_images_has_no_targets() -> None:
    empty = Split(np.zeros((0, 48, 48, 1), np.uint8), np.zeros(0, np.uint8), np.zeros(0, np.int32))
    assert targets(empty, small_recipe(), 7).shape == (0, 7)

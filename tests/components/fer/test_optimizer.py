"""The learning rate as a function of the step, and the update rules."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.fer.muon import ConvolutionMuon
from components.fer.optimizer import learning_rate, optimizer, plateaus
from tests.components.fer.conftest import small_recipe

EPOCHS, STEPS = 4, 10


def rates(accuracies: tuple[float, ...] = (), **changes: object) -> list[float]:
    """The learning rate at each step of 4 epochs of 10."""
    recipe = small_recipe(**{"epochs": EPOCHS, "learning_rate": 1.0, "warmup_epochs": 0.0, **changes})
    return [learning_rate(recipe, step, STEPS, accuracies[: step // STEPS]) for step in range(EPOCHS * STEPS)]


def test_constant() -> None:
    assert rates(schedule="constant") == [1.0] * 40


def test_the_warm_up_is_linear_and_ends_at_the_highest_rate() -> None:
    assert rates(schedule="constant", warmup_epochs=0.5)[:7] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0])


def test_the_cosine_is_half_way_down_in_the_middle() -> None:
    rate = rates(schedule="cosine")
    assert rate[0] == 1
    assert rate[20] == pytest.approx(0.5)
    assert 0 < rate[-1] < 0.01


def test_the_triangle_falls_by_equal_steps_behind_the_warm_up() -> None:
    rate = rates(schedule="triangular", warmup_epochs=1.0)
    assert rate[9] == rate[10] == 1
    assert np.diff(rate[10:]) == pytest.approx([-1 / 30] * 29)


def test_steps() -> None:
    rate = rates(schedule="steps", schedule_factor=0.5, schedule_epochs=2)
    assert rate == [1.0] * 20 + [0.5] * 20


def test_plateau_takes_the_epochs_that_are_done() -> None:
    rate = rates((0.5, 0.5, 0.6), schedule="plateau", schedule_factor=0.5, schedule_epochs=1)
    assert rate == [1.0] * 20 + [0.5] * 20


@given(st.lists(st.floats(0, 1), max_size=30), st.integers(1, 5))
def test_plateaus_are_those_of_keras(accuracies: list[float], patience: int) -> None:
    class Model:
        optimizer = keras.optimizers.SGD(1.0)

    keras_says = keras.callbacks.ReduceLROnPlateau("val_accuracy", 0.5, patience, mode="max")
    keras_says.set_model(Model())
    keras_says.on_train_begin()
    Model.optimizer.learning_rate = 1.0
    for epoch, accuracy in enumerate(accuracies):
        keras_says.on_epoch_end(epoch, {"val_accuracy": accuracy})
    assert 0.5 ** plateaus(accuracies, patience) == float(Model.optimizer.learning_rate)


@given(
    st.sampled_from(["constant", "cosine", "triangular", "steps", "plateau"]),
    st.floats(0, 10),
    st.integers(1, 5),
    st.integers(1, 7),
    st.data(),
)
def test_a_rate_is_never_above_the_highest_and_never_none(
    schedule: str, warmup: float, epochs: int, steps: int, data: st.DataObject
) -> None:
    recipe = small_recipe(schedule=schedule, warmup_epochs=warmup, epochs=epochs, learning_rate=0.1)
    step = data.draw(st.integers(0, epochs * steps - 1))
    accuracies = data.draw(st.lists(st.floats(0, 1), min_size=step // steps, max_size=step // steps))
    assert 0 < learning_rate(recipe, step, steps, accuracies) <= 0.1


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("adam", keras.optimizers.Adam),
        ("adamw", keras.optimizers.AdamW),
        ("sgd", keras.optimizers.SGD),
        ("muon", ConvolutionMuon),
    ],
)
def test_update_rules(name: str, rule: type[keras.optimizers.Optimizer]) -> None:
    made = optimizer(small_recipe(optimizer=name), [])
    assert type(made) is rule
    assert made.weight_decay == 0.01
    if name == "sgd":
        assert (made.momentum, made.nesterov) == (0.9, True)


def moved(**changes: object) -> list[float]:
    """How far one step with gradients of 1 moves a variable of the classifier and one three layers below it."""
    recipe = small_recipe(weight_decay=0.0, learning_rate=0.1, **changes)
    variables = [keras.Variable([0.0]), keras.Variable([0.0])]
    optimizer(recipe, [0, 3]).apply([keras.ops.ones((1,)), keras.ops.ones((1,))], variables)
    return [-float(variable[0]) for variable in variables]


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "muon"])
def test_deep_variables_move_less(name: str) -> None:
    whole = moved(optimizer=name, layer_decay=1.0)
    assert moved(optimizer=name, layer_decay=0.5) == pytest.approx([whole[0], whole[1] / 8])


def test_biases_and_normalisation_do_not_decay() -> None:
    layers = [keras.layers.Dense(2), keras.layers.BatchNormalization()]
    model = keras.Sequential([keras.Input((3,)), *layers])
    rule = optimizer(small_recipe(), [])
    rule.build(model.trainable_variables)
    decaying = {variable.name for variable in model.trainable_variables if rule._use_weight_decay(variable)}
    assert decaying == {"kernel"}

"""The moving average of weights."""

import keras
import numpy as np
import pytest

from components.fer.average import Average


@pytest.fixture
def model() -> keras.Model:
    return keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False), keras.layers.BatchNormalization()]
    )


def test_the_share_of_the_old_value_grows_to_what_was_asked_for(model: keras.Model) -> None:
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    average = Average(model, 0.9)
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    expected = 0.0
    for step in (1, 2, 1000):
        average.update(step, 1)
        left = min(0.9, step / (step + 9))
        expected = left * expected + 1 - left
        assert [float(value.numpy().ravel()[0]) for value in average.variables] == pytest.approx([expected] * 5)


def test_many_steps_at_once_count_as_many(model: keras.Model) -> None:
    one, other = Average(model, 0.5), Average(model, 0.5)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    for step in (998, 999, 1000):
        one.update(step, 1)
    other.update(1000, 3)
    for mine, theirs in zip(one.variables, other.variables, strict=True):
        assert mine.numpy() == pytest.approx(theirs.numpy())


def test_the_model_has_it_for_a_while(model: keras.Model) -> None:
    average = Average(model, 0.5)
    before = model.get_weights()
    model.set_weights([weight + 1 for weight in before])
    with average.in_place():
        assert all(np.array_equal(*pair) for pair in zip(model.get_weights(), before, strict=True))
    assert all(np.array_equal(now, was + 1) for now, was in zip(model.get_weights(), before, strict=True))

"""The moving average of a model's weights, which is evaluated and kept instead of the weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
from keras import KerasTensor


class Average:
    """Exponential moving average of all weights, the running averages of batch normalisation among them.

    These must be averaged too: they belong to the averaged weights as the moments of a batch to its weights.
    In the first steps the average forgets faster, so that the initial weights do not linger (the `num_updates` of
    TensorFlow 1's ExponentialMovingAverage).
    """

    def __init__(self, model: keras.Model, share: float) -> None:
        """`share` of the old value stays, in each step."""
        self.weights, self.share = model.weights, share
        self.variables = [keras.Variable(value, trainable=False) for value in _copies(self.weights)]

    def update(self, step: int, steps: int) -> None:
        """Take in the weights behind the step number `step` (from 1), `steps` steps after the last update."""
        left = min(self.share, step / (step + 9)) ** steps
        for average, weight in zip(self.variables, self.weights, strict=True):
            average.assign(average + (weight - average) * (1 - left))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the model the averaged weights for a while."""
        trained = _copies(self.weights)
        for weight, value in zip(self.weights, _copies(self.variables), strict=True):
            weight.assign(value)
        try:
            yield
        finally:
            for weight, value in zip(self.weights, trained, strict=True):
                weight.assign(value)


def _copies(variables: Sequence[keras.Variable]) -> list[KerasTensor]:
    """The values, in memory of their own: a step on JAX gives up the memory of what it was given."""
    return [keras.ops.copy(variable.value) for variable in variables]

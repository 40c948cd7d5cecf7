"""Muon for convolutions."""

import keras
import numpy as np
import pytest

from components.fer.muon import ADAM_SHARE, ConvolutionMuon

RNG = np.random.default_rng(1)


def step(variable: keras.Variable, gradient: np.ndarray) -> np.ndarray:
    """The first update of a variable at rate 1, without decay."""
    before = variable.numpy()
    ConvolutionMuon(1.0, 0.0).apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return np.asarray(before - variable.numpy())


@pytest.mark.parametrize("shape", [(3, 3, 8, 16), (1, 1, 64, 16)])
def test_a_step_is_as_long_in_all_directions(shape: tuple[int, ...]) -> None:
    """Singular values of the update lie near 0.2 sqrt(max(rows, columns)), however far apart those of the gradient."""
    rows = int(np.prod(shape[:3]))
    left, _ = np.linalg.qr(RNG.normal(size=(rows, 16)))
    right, _ = np.linalg.qr(RNG.normal(size=(16, 16)))
    gradient = (left * np.geomspace(0.03, 1, 16)) @ right
    moved = step(keras.Variable(np.zeros(shape, np.float32)), gradient.reshape(shape).astype(np.float32)).reshape(
        rows, 16
    )
    values = np.linalg.svd(moved, compute_uv=False) / (0.2 * np.sqrt(rows))
    assert values.max() < 1.3
    assert values.min() > 0.25
    assert values.max() / values.min() < 33 / 5


@pytest.mark.parametrize("shape", [(16, 7), (16,), (3, 3, 8, 1)])
def test_all_else_has_adamw(shape: tuple[int, ...]) -> None:
    gradient = RNG.normal(size=shape).astype(np.float32)
    adamw = keras.Variable(np.zeros(shape, np.float32))
    keras.optimizers.AdamW(ADAM_SHARE, weight_decay=0.0).apply([keras.ops.convert_to_tensor(gradient)], [adamw])
    assert step(keras.Variable(np.zeros(shape, np.float32)), gradient) == pytest.approx(-adamw.numpy(), rel=1e-5)


def test_kernels_decay() -> None:
    kernel = keras.Variable(np.ones((3, 3, 2, 2), np.float32), name="kernel")
    ConvolutionMuon(0.5, 0.1).apply([keras.ops.zeros((3, 3, 2, 2))], [kernel])
    assert kernel.numpy() == pytest.approx(np.full((3, 3, 2, 2), 0.95))

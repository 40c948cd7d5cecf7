"""Answers of made models, for laws that hold for all of them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Answers = tuple[NDArray[Any], NDArray[Any]]


@st.composite
def answers(draw: st.DrawFn, largest: int = 60) -> Answers:
    """Probabilities (N, 7) float32 and labels (N,) of 1 to `largest` images, from unsure to overconfident."""
    count = draw(st.integers(1, largest))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    skill = draw(st.floats(0, 8))
    sharpness = draw(st.floats(0.1, 10))
    label = random.integers(0, 7, count).astype(np.uint8)
    logits = sharpness * (random.normal(size=(count, 7)) + skill * np.eye(7)[label])
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32), label

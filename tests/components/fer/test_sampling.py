"""A sample has the size asked for and the proportions of the whole."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from components.fer.sampling import stratified

labels = hnp.arrays(np.uint8, st.integers(0, 60), elements=st.integers(0, 6))
seeds = st.integers(0, 2**32)


@given(labels, st.integers(0, 70), seeds)
def test_it_has_the_size_and_of_each_label_its_share(label: NDArray[np.uint8], count: int, seed: int) -> None:
    drawn = stratified(label, count, seed)
    assert drawn.sum() == min(count, len(label))
    for one in np.unique(label):
        share = drawn.sum() * (label == one).mean()
        assert abs((drawn & (label == one)).sum() - share) < 1


@given(labels, st.integers(0, 70), seeds)
def test_the_seed_decides(label: NDArray[np.uint8], count: int, seed: int) -> None:
    np.testing.assert_array_equal(stratified(label, count, seed), stratified(label, count, seed))


def test_every_image_has_the_same_chance() -> None:
    label = np.repeat(np.arange(3, dtype=np.uint8), (10, 15, 25))
    times = sum(stratified(label, 10, seed).astype(int) for seed in range(2_000))
    # 400 of 2,000 expected, standard deviation 18
    assert (np.abs(np.asarray(times) - 400) < 5 * 18).all()

"""The median filter takes away single pixels and leaves edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import ndimage

from components.preprocess.filtering import median_filtered

pictures = hnp.arrays(np.uint8, st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(1, 9)))


@given(pictures, st.sampled_from([3, 5]))
def test_a_pixel_becomes_the_median_around_it(images: NDArray[np.uint8], side: int) -> None:
    filtered = median_filtered(images, side)
    np.testing.assert_array_equal(filtered, ndimage.median_filter(images, (1, side, side), mode="nearest"))
    assert filtered.dtype == np.uint8


@pytest.mark.parametrize("side", [3, 5])
def test_a_spot_goes_and_an_edge_stays(side: int) -> None:
    edge = np.zeros((1, 48, 48), np.uint8)
    edge[:, :, 24:] = 200
    spotted = edge.copy()
    spotted[0, 10, 10] = 255
    np.testing.assert_array_equal(median_filtered(spotted, side), edge)

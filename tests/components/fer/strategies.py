"""What hypothesis draws: small data sets in which copies, conflicts and constant images abound."""

import numpy as np
from hypothesis import strategies as st

from components.fer.dataset import EXPRESSIONS, SIDE, SPLITS, USAGES, Faces, Prepared, Split


@st.composite
def faces(draw: st.DrawFn, least: int = 0, most: int = 12) -> Faces:
    """Draw each image from a pool of four, of which one is all zero."""
    count = draw(st.integers(least, most))
    pool = np.random.default_rng(draw(st.integers(0, 2**32))).integers(0, 256, (4, SIDE, SIDE), np.uint8)
    pool[0] = 0

    def column(most: int) -> list[int]:
        return draw(st.lists(st.integers(0, most - 1), min_size=count, max_size=count))

    label, usage = column(len(EXPRESSIONS)), column(len(USAGES))
    return Faces(pool[np.array(column(len(pool)), np.intp)], np.array(label, np.uint8), np.array(usage, np.uint8))


@st.composite
def prepared(draw: st.DrawFn) -> Prepared:
    """Draw splits of 0 to 12 images, with rows in any order."""
    return {name: split(draw(faces()), draw(st.integers(0, 2**31 - 100))) for name in SPLITS}


def split(faces: Faces, first_row: int) -> Split:
    return Split(
        faces.images[..., None], faces.label, np.arange(first_row, first_row + len(faces), dtype=np.int32)[::-1]
    )


def assert_equal(one: Prepared, other: Prepared) -> None:
    """Compare bit for bit: names, dtypes, shapes and values."""
    assert list(one) == list(other)
    for name in one:
        for key, array in one[name].columns().items():
            received = other[name].columns()[key]
            assert received.dtype == array.dtype, (name, key)
            assert received.shape == array.shape, (name, key)
            assert received.tobytes() == array.tobytes(), (name, key)

"""What the tests over HTTP share; each module has a `server` of its own, with its own limits."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.components.serve.running import FACE, Running


@pytest.fixture
def goes_on(server: Running) -> Iterator[None]:
    """Before and after, the same face has the same probabilities."""
    before = server.infer(FACE)
    yield
    np.testing.assert_array_equal(server.infer(FACE), before)

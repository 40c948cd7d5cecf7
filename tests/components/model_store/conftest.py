"""Stores to test: a folder, and a bucket."""

from pathlib import Path

import pytest

from components.model_store.store import Store
from tests.components.conftest import Bucket
from tests.components.model_store.processes import Place


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    """A store in a folder."""
    return Place(str(tmp_path / "models"))


@pytest.fixture
def bucket(gs: Bucket) -> Place:
    """A store in a bucket."""
    return Place(f"{gs.address}/models", gs.proxy.address)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> Place:
    """A store in a folder, and one in a bucket: what holds for both is the law of stores."""
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def store(place: Place) -> Store:
    """The store at `place`."""
    return place.open()

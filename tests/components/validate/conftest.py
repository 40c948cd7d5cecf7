"""What the tests of validate share."""

import importlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from components.fer.dataset import Faces, Masks
from components.validate import audit
from components.validate.reader import read
from components.validate.source import GENUINE_MD5


@pytest.fixture(scope="session")
def expectations() -> ModuleType:
    """components.validate.expectations, loaded once: Great Expectations takes seconds.

    Its import of sre_constants and sre_parse, deprecated by Python, is the one warning let through.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "module 'sre_", DeprecationWarning)
        return importlib.import_module("components.validate.expectations")


@pytest.fixture(scope="session")
def genuine(genuine_csv: Path) -> Faces:
    """The genuine FER2013."""
    return read(str(genuine_csv), GENUINE_MD5).faces


@pytest.fixture(scope="session")
def genuine_masks(genuine: Faces) -> Masks:
    """What the audit finds in it."""
    return audit.masks(genuine, near_correlation=0.95)


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Give pytest its log handlers back after a stage has set up its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)

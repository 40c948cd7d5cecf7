"""Data that the tests share."""

import os
from pathlib import Path, PurePath
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling, Scheduling

from components.fer import made_faces
from components.fer.dataset import Faces
from components.registry import mlflow_mirror

ROOT = Path(__file__).resolve().parents[1]

# No deadline per example: the time of one says more about the machine's load than about the code.
hypothesis.settings.register_profile("ferflow", deadline=None)
hypothesis.settings.load_profile("ferflow")

# Google's client asks for a bucket's metadata in a thread of its own, again and again behind a server that is gone, and
# draws its pauses from Python's random numbers: hypothesis sees these change and fails a test that has no part in it.
os.environ["DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"] = "true"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Share the tests out among workers by folders; pytest-xdist's own groups are lost on pytest 9.2."""
    return ByFolder(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where workers share out the tests, those of whole graphs come first, for they take longest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.parent != ROOT / "tests")


class ByFolder(LoadScopeScheduling):
    """All tests of a folder go to one worker, for its fixtures take longest.

    The files of tests/ and tests/pipeline are apart: what they share is quickly made.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = PurePath(nodeid.partition("::")[0])
        return str(path if path.parent in (PurePath("tests"), PurePath("tests/pipeline")) else path.parent)


@pytest.fixture(scope="session")
def made() -> Faces:
    """700 drawn faces: 560 Training, 70 PublicTest, 70 PrivateTest."""
    return made_faces.made_faces(700, seed=1)


@pytest.fixture(scope="session")
def made_csv(made: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn faces as fer2013.csv."""
    path = tmp_path_factory.mktemp("made") / "fer2013.csv"
    made_faces.write_csv(made, path)
    return path


@pytest.fixture(scope="session")
def genuine_csv() -> Path:
    """The genuine fer2013.csv; the test is skipped aloud where it is not at hand."""
    path = Path(os.environ.get("FER2013", ROOT / "data" / "fer2013.csv"))
    if not path.is_file():
        pytest.skip(f"the genuine FER2013 is not at hand (looked for {path}; set FER2013 to its path)")
    return path


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    mlflow_mirror._client(f"sqlite:///{path}").search_registered_models()
    return path


@pytest.fixture(scope="session")
def light_model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A light model that reads the label from the first pixel."""
    from components.push_model import exported
    from tests.components.push_model.conftest import model_that_knows

    folder, model = tmp_path_factory.mktemp("light"), model_that_knows(7)
    exported.saved_model(model, folder / "saved_model")
    exported.light(model, folder / "saved_model", folder / "model.tflite")
    return (folder / "model.tflite").read_bytes()

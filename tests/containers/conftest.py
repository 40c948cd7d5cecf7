"""The Docker engine and the images of the tests in containers.

They run where FERFLOW_CONTAINERS is set, which says that the images are built (`make images`), and are skipped aloud
elsewhere: an engine cannot be had everywhere.
"""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from components.container import IMAGE
from components.fer import made_faces
from pipeline import build
from pipeline.desk import ROOT, source_files
from pipeline.images import USUAL
from tests import clone
from tests.containers import container

Code = dict[str, dict[str, str]]

LISTING = """
import hashlib, json, pathlib
files = [path for path in pathlib.Path("/app").rglob("*") if path.is_file()]
print(json.dumps({str(path.relative_to("/app")): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}))
"""


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """A Docker engine; the tests are skipped where none is promised."""
    if not os.environ.get("FERFLOW_CONTAINERS"):
        pytest.skip("no containers here: make images, then FERFLOW_CONTAINERS=1 make test")
    build.have_engine()


def image(component: str) -> str:
    return IMAGE.format(stage=component, version=version("ferflow"))


@pytest.fixture(scope="session")
def code() -> Code:
    """Path and sha256 of each file of the product in the image of each component."""
    return {component: json.loads(container.run(image(component), "python", "-c", LISTING)) for component in USUAL}


@pytest.fixture(scope="session")
def images(code: Code) -> dict[str, str]:
    """Name of each component's image. One with other code than this tree's would be tested in vain."""
    for component, package in USUAL.items():
        own = {path: sha256((ROOT / path).read_bytes()).hexdigest() for path in source_files(package)}
        assert own.items() <= code[component].items(), f"the image of {component} is not of this tree: make images"
    return {component: image(component) for component in USUAL}


@pytest.fixture(scope="session")
def repository(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the repository whose demo takes a minute."""
    folder = tmp_path_factory.mktemp("repository")
    clone.make(folder)
    (folder / "infra" / "images.lock.json").unlink(missing_ok=True)  # this tree's images, not those once pushed
    assert clone.ferflow(folder, "compile").returncode == 0
    params = folder / "recipes" / "demo" / "params.yaml"
    values = yaml.safe_load(params.read_text())
    values["training"] |= {"image_size": 32, "dense_1": 16, "dense_2": 8, "batch_size": 32}
    for section in ("backbone_a", "backbone_b", "hybrid"):
        values[section]["epochs"] = 1
    values["evaluate"]["resamples"] = 100
    # Or so small a training would promote nothing.
    values["registry"] |= {"alpha": 0.9, "floor_over_majority": 0.0, "class_floor": 0.0, "calibration_limit": 1.0}
    params.write_text(yaml.safe_dump(values, sort_keys=False))
    csv = params.parent / "data" / "faces.csv"
    csv.parent.mkdir()
    made_faces.write_csv(made_faces.made_faces(210, seed=1), csv)
    return folder


@pytest.fixture(scope="session")
def runs(repository: Path) -> list[subprocess.CompletedProcess[str]]:
    """The demo as DVC runs it, without containers, and in its images, both at once."""
    demo = ("run", "--recipe", "demo")
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda options: clone.ferflow(repository, *demo, *options), [(), ("--docker",)]))


@pytest.fixture(scope="session")
def desk(runs: list[subprocess.CompletedProcess[str]], repository: Path) -> Path:
    """The demo's folder with what DVC's run gave."""
    assert runs[0].returncode == 0, runs[0].stderr
    return repository / "recipes" / "demo"


@pytest.fixture(scope="session")
def trial(runs: list[subprocess.CompletedProcess[str]]) -> subprocess.CompletedProcess[str]:
    """The run in its images; its outputs are in the demo's artifacts/docker."""
    return runs[1]

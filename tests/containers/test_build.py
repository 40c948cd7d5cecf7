"""ferflow images: what it says of a build, of a push, and of what is in an image."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from components.fer.errors import InputError
from pipeline import build, sbom
from tests.containers import container

pytestmark = pytest.mark.containers

INSTALLED = """
import importlib.metadata, json
found = importlib.metadata.distributions(path=__import__("site").getsitepackages())
print(json.dumps({entry.metadata["Name"]: entry.version for entry in found}))
"""


def test_a_bill_of_materials_names_what_is_installed(images: Mapping[str, str]) -> None:
    name = images["preprocess"]
    bill = sbom.bill(name, "ferflow-preprocess", "sha256:0")
    kinds: dict[str, dict[str, str]] = {"pypi": {}, "deb": {}, "generic": {}}
    for entry in bill["components"]:
        kinds[entry["purl"].removeprefix("pkg:").partition("/")[0]][entry["name"]] = entry["version"]
    assert kinds["pypi"] == json.loads(container.run(name, "python", "-c", INSTALLED))
    assert kinds["generic"] == {"python": container.run(name, "python", "-V").split()[1]}
    assert kinds["deb"]["libc6"] == container.run(name, "dpkg-query", "-W", "-f", "${Version}", "libc6")
    assert bill["metadata"]["component"]["name"] == "ferflow-preprocess"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


def test_a_base_that_cannot_be_pulled() -> None:
    with pytest.raises(InputError) as error:
        build.build("validate", "cpu", "ferflow.invalid/base:1", say=lambda step: None)
    first, *last, mend = str(error.value).splitlines()
    assert first.startswith("image ferflow-validate:")
    assert first.endswith(": expected to build it, docker build failed:")
    assert any("ferflow.invalid" in line for line in last)
    assert mend == "Where the base image cannot be pulled, name another: --base IMAGE."


@pytest.fixture
def small_image() -> Iterator[str]:
    """An image of one empty folder."""
    name = "ferflow-small:1"
    subprocess.run(["docker", "import", "-", name], input=b"\0" * 1024, check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "rmi", "--force", build.inspect(name)["Id"]], check=True, capture_output=True)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Address of a registry of its own, where its program is at hand (Debian: docker-registry)."""
    program = shutil.which("docker-registry") or shutil.which("registry")
    if not program:
        pytest.skip("no docker-registry program: apt-get install docker-registry")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(tmp_path)}}, "http": {"addr": address}}
    (tmp_path / "settings.yml").write_text(json.dumps(settings))
    process = subprocess.Popen([program, "serve", tmp_path / "settings.yml"], stderr=subprocess.DEVNULL)
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) == 0:
                break
        assert process.poll() is None
        time.sleep(0.05)
    yield address
    process.terminate()
    process.wait()


def test_a_pushed_image_is_named_by_its_digest(small_image: str, registry: str) -> None:
    name = build.push(small_image, f"{registry}/team", say=lambda step: None)
    assert name.startswith(f"{registry}/team/ferflow-small@sha256:")
    subprocess.run(["docker", "rmi", f"{registry}/team/{small_image}"], check=True, capture_output=True)
    subprocess.run(["docker", "pull", "--quiet", name], check=True, capture_output=True)
    assert build.inspect(name)["RepoTags"] == [small_image]


def test_a_registry_that_does_not_answer(small_image: str) -> None:
    with pytest.raises(InputError) as error:
        build.push(small_image, "127.0.0.1:9", say=lambda step: None)
    first, *last, mend = str(error.value).splitlines()
    assert first == "image 127.0.0.1:9/ferflow-small:1: expected to push it, docker push failed:"
    assert "connection refused" in last[-1]
    assert mend == "Log in where the registry asks for it: docker login 127.0.0.1:9"

"""The server's image answers with a version that is mounted, as KServe does it, on a read-only system."""

import base64
import json
import subprocess
import time
from collections.abc import Iterator, Mapping

import pytest

from components.model_store.folder import FolderStore
from components.model_store.versions import Version
from components.serve.runtime import NAME as LIGHT
from tests.components.model_store.made import NAME, make
from tests.components.serve.photos import photo, written
from tests.containers import container

pytestmark = [pytest.mark.containers, pytest.mark.slow]

PATIENCE = 120.0
"""Seconds until it is ready: machines of tests are slow."""

ASK = """
import json, sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:8080" + sys.argv[1], sys.stdin.buffer.read() or None)
request.add_header("content-type", "application/json")
print(urllib.request.urlopen(request).read().decode())
"""


@pytest.fixture(scope="module")
def version(light_model: bytes, tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder = tmp_path_factory.mktemp("store")
    version = make(FolderStore(folder), 70, files={LIGHT: light_model})
    for path in (folder.parent, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    return version


@pytest.fixture(scope="module")
def server(images: Mapping[str, str], version: Version) -> Iterator[str]:
    """Name of a container that is ready."""
    mount = ["--volume", f"{version.address}:/mnt/models:ro"]
    serve = ["python", "-m", "components.serve", "--model", "/mnt/models", "--version", version.id]
    words = ["docker", "run", "--detach", "--init", *container.HARDENED, *mount, images["serve"], *serve]
    name = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    try:
        end = time.monotonic() + PATIENCE
        while ask(name, "/v2/health/ready", check=False) != {"ready": True}:
            assert time.monotonic() < end, "never ready"
            time.sleep(0.2)
        yield name
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=True)


def ask(name: str, path: str, body: object = None, check: bool = True) -> object:
    """What the server answers inside its container, which has no network; none where it does not."""
    words = ["docker", "exec", "--interactive", name, "python", "-c", ASK, path]
    content = b"" if body is None else json.dumps(body).encode()
    done = subprocess.run(words, input=content, capture_output=True, check=check)
    return json.loads(done.stdout) if done.returncode == 0 else None


def test_it_serves_the_version_that_is_mounted(server: str, version: Version) -> None:
    found = ask(server, f"/v2/models/{NAME}")
    assert isinstance(found, dict)
    assert found["versions"] == [version.id]


def test_it_finds_and_answers_the_face_in_a_photo(server: str) -> None:
    body = {"instances": [{"b64": base64.b64encode(written(photo(), "JPEG")).decode()}]}
    found = ask(server, f"/v1/models/{NAME}:predict", body)
    assert isinstance(found, dict)
    ((row,),) = [found["predictions"]]
    assert sum(row) == pytest.approx(1)


def test_told_to_stop_it_ends_with_0(server: str) -> None:
    subprocess.run(["docker", "stop", "--time", "30", server], capture_output=True, check=True)
    shown = subprocess.run(
        ["docker", "inspect", "--format", "{{.State.ExitCode}}", server], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "0\n"

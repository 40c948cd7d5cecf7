"""One law for both places: a file is there whole or not at all."""

import resource
from pathlib import Path

import pytest

from components.fer.errors import InputError, TemporaryError
from components.storage import blobs, gcs
from tests.components.conftest import Bucket


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> blobs.Blobs:
    if request.param == "folder":
        return blobs.open_blobs(str(tmp_path), "some")
    bucket: Bucket = request.getfixturevalue("gs")
    return blobs.open_blobs(f"{bucket.address}/prefix", "some")


def test_files_come_and_go(place: blobs.Blobs) -> None:
    assert place.names() == []
    place.write("one", b"1")
    place.write("two", b"2")
    place.write("one", b"another")
    assert sorted(place.names()) == ["one", "two"]
    assert place.read("one") == b"another"
    for name in ("one", "two"):
        place.remove(name)
    assert place.names() == []


def test_nothing_is_left_in_a_folder(tmp_path: Path) -> None:
    place = blobs.FolderBlobs(tmp_path / "some")
    place.write("one", b"1")
    (tmp_path / "some" / ".unfinished-1").write_bytes(b"of a process that was killed")
    assert place.names() == ["one"]
    place.remove("one")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_has_something_else_too_stays(tmp_path: Path) -> None:
    place = blobs.FolderBlobs(tmp_path / "some")
    place.write("one", b"1")
    (tmp_path / "some" / ".nfs0001").write_bytes(b"of the file system")
    (tmp_path / "some" / "two").mkdir()
    assert place.names() == ["one"]
    place.remove("one")
    assert place.names() == []


def test_a_full_disk_is_told_by_the_files_name_and_nothing_half_written_is_left(tmp_path: Path) -> None:
    place = blobs.FolderBlobs(tmp_path / "some")
    place.write("one", b"1")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))  # for the kernel, a disk that is full behind 100 bytes
    try:
        with pytest.raises(OSError, match="large") as error:
            place.write("two", b"2" * 101)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.filename == str(tmp_path / "some" / "two")
    assert [path.name for path in (tmp_path / "some").iterdir()] == ["one"]


def test_objects_alone_are_asked_for(gs: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account may have no right to read the bucket's own metadata."""
    monkeypatch.delenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA")
    place = blobs.open_blobs(gs.address, "some")
    gs.proxy.requests.clear()
    for _ in range(20):
        place.write("one", b"1")
    about = f"/b/{gs.address.removeprefix('gs://')}"
    assert [target for _, target in gs.proxy.requests if "/o" not in target.split(about)[1]] == []


def test_a_service_that_fails_for_a_while_is_asked_again(gs: Bucket) -> None:
    place = blobs.open_blobs(gs.address, "some")
    gs.proxy.fail(503, times=2)
    place.write("one", b"1")
    assert place.read("one") == b"1"


@pytest.mark.parametrize(("status", "kind"), [(503, TemporaryError), (403, InputError)])
def test_a_service_that_goes_on_failing(
    status: int, kind: type[Exception], gs: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gcs, "PATIENCE", 0.1)
    place = blobs.open_blobs(gs.address, "some")
    gs.proxy.fail(status)
    with pytest.raises(kind, match=f"{gs.address}/some/one: {status}"):
        place.write("one", b"1")


def test_another_kind_of_place_is_refused() -> None:
    with pytest.raises(InputError) as error:
        blobs.open_blobs("s3://bucket", "some")
    assert str(error.value) == "s3://bucket: expected a folder or gs://BUCKET/PREFIX.\nGive one of them."

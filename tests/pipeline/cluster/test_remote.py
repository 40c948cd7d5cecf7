"""The data object is looked for on a DVC remote, by its md5."""

from pathlib import Path

import pytest
from google.cloud import storage

from components.fer.errors import InputError
from pipeline.cluster import remote, stored
from tests.components.conftest import Bucket

MD5 = "f8428a1edbd21e88f42c73edd2a14f95"
ABSENT = "0" * 32


@pytest.fixture
def team(gs: Bucket) -> str:
    """A DVC remote with one object."""
    bucket = storage.Client("team").bucket(gs.address.removeprefix("gs://"))
    bucket.blob(f"dvc/files/md5/{MD5[:2]}/{MD5[2:]}").upload_from_string(b"1234567")
    return f"{gs.address}/dvc"


def repository(folder: Path, config: str) -> Path:
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").write_text(config)
    return folder


def test_the_size_of_an_object(team: str) -> None:
    assert stored.size(team, MD5) == 7


def test_the_size_of_an_object_on_a_remote_that_dvc_knows(team: str, tmp_path: Path) -> None:
    """Then its other settings count too."""
    root = repository(tmp_path, f"['remote \"team\"']\nurl = {team}/\nprojectname = team\n")
    assert stored.size(team, MD5, root) == 7


def test_an_object_that_is_not_there(team: str) -> None:
    with pytest.raises(InputError) as error:
        stored.size(team, ABSENT)
    assert str(error.value) == missing(team)


@pytest.mark.slow
def test_in_the_background(team: str) -> None:
    with remote.in_background(team, MD5) as size, remote.in_background(team, ABSENT) as none:
        assert size() == 7
        with pytest.raises(InputError) as error:
            none()
    assert str(error.value) == missing(team)


def missing(team: str) -> str:
    return f"data object {ABSENT}: expected on the DVC remote {team}, found none.\ndvc push data.dvc"


def test_the_address(tmp_path: Path) -> None:
    root = repository(tmp_path, "[core]\nremote = team\n['remote \"team\"']\nurl = gs://team/dvc/\n")
    assert remote.address("", root) == "gs://team/dvc"
    assert remote.address("s3://other/dvc", root) == "s3://other/dvc"


def test_no_address(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        remote.address("", repository(tmp_path, ""))
    assert str(error.value) == (
        "DVC remote: expected one that the cluster can read, found none.\n"
        "dvc remote add -d team gs://BUCKET/PATH && dvc push data.dvc, or set data in infra/cluster.yaml."
    )


def test_an_address_of_this_machine_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        remote.address("", repository(tmp_path, "[core]\nremote = disk\n['remote \"disk\"']\nurl = /mnt/data\n"))
    assert str(error.value) == (
        "DVC remote disk: expected gs:// or s3://, which a pod can read. Received: /mnt/data\n"
        "Set data in infra/cluster.yaml."
    )

"""A data set in a DVC remote, put there by `dvc push` itself: on Google's storage and on Amazon's."""

import hashlib
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from components.fer import stage
from components.fer.dataset import Faces
from components.fer.errors import InputError, TemporaryError
from components.storage.addresses import CREDENTIALS
from components.validate import remote
from components.validate.__main__ import main
from components.validate.config import Config
from components.validate.reader import read
from tests.components.buckets import Fault, Proxy
from tests.components.conftest import Bucket

DAMAGED = "fedcba9876543210fedcba9876543210"
ABSENT = "0123456789abcdef0123456789abcdef"
AGAIN = "Run the same command again."


@pytest.fixture(scope="session")
def pushed(made_csv: Path, gs_server: str, s3_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of DVC remotes that hold the made csv, by scheme: what `dvc add` and `dvc push` make of it."""
    folder = tmp_path_factory.mktemp("repository")
    name = f"bucket-{uuid.uuid4().hex}"
    with pytest.MonkeyPatch.context() as patch:
        surroundings(patch, gs_server, s3_server)
        make_buckets(name)
        (folder / "fer2013.csv").write_bytes(made_csv.read_bytes())
        found = {scheme: f"{scheme}://{name}/dvc" for scheme in ("gs", "s3")}
        remotes = (f"['remote \"{scheme}\"']\n    url = {address}\n" for scheme, address in found.items())
        (folder / ".dvc").mkdir()
        (folder / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n" + "".join(remotes))
        dvc(folder, "add", "fer2013.csv")
        for scheme in found:
            dvc(folder, "push", "--remote", scheme)
        put(name, f"dvc/files/md5/{DAMAGED[:2]}/{DAMAGED[2:]}", b"something else")
    return found


def surroundings(patch: pytest.MonkeyPatch, gs: str, s3: str) -> None:
    """What the libraries look for in the environment."""
    patch.setenv("STORAGE_EMULATOR_HOST", gs)
    patch.setenv("AWS_ENDPOINT_URL", s3)
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setenv("NO_GCE_CHECK", "true")


def make_buckets(name: str) -> None:
    import boto3
    from google.cloud import storage

    storage.Client(project="test").create_bucket(name)
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=name)


def put(name: str, path: str, content: bytes) -> None:
    """Write an object to both buckets."""
    import boto3
    from google.cloud import storage

    storage.Client(project="test").bucket(name).blob(path).upload_from_string(content)
    boto3.client("s3", region_name="us-east-1").put_object(Bucket=name, Key=path, Body=content)


def dvc(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=["gs", "s3"])
def bucket(
    request: pytest.FixtureRequest,
    pushed: dict[str, str],
    gs_server: str,
    s3_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Bucket]:
    """A DVC remote that holds the made csv, behind a proxy."""
    upstream = {"gs": gs_server, "s3": s3_server}[request.param]
    with Proxy(upstream) as proxy:
        surroundings(monkeypatch, proxy.address, proxy.address)
        yield Bucket(pushed[request.param], proxy)


@pytest.fixture
def md5(made_csv: Path) -> str:
    return hashlib.md5(made_csv.read_bytes()).hexdigest()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The libraries' own retries, without their pauses; botocore's, which cannot be shortened, not at all."""
    monkeypatch.setattr("gcsfs.retry.min", lambda *_: 0.0, raising=False)
    monkeypatch.setattr("s3fs.core.min", lambda *_: 0.0, raising=False)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def test_the_object_is_found_by_its_md5(bucket: Bucket, md5: str, made: Faces, temporary: Path) -> None:
    source = read(bucket.address, md5)
    np.testing.assert_array_equal(source.faces.images, made.images)
    assert (source.layout, source.md5) == ("emotion,pixels,Usage", md5)
    assert list(temporary.iterdir()) == []


def test_it_is_read_in_parts(bucket: Bucket, md5: str, made: Faces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "BLOCK", 1_000_000)
    assert len(read(bucket.address, md5).faces.label) == len(made.label)
    assert len([method for method, _ in bucket.proxy.requests if method == "GET"]) >= 5


def test_what_is_not_there_is_named(bucket: Bucket) -> None:
    with pytest.raises(InputError) as raised:
        read(bucket.address, ABSENT)
    assert str(raised.value) == (
        f"data set {bucket.address}: no object {ABSENT} in this DVC remote "
        "(files/md5/01/23456789abcdef0123456789abcdef).\n"
        "Put it there: dvc push data.dvc. Or correct data.path or data.md5 in params.yaml."
    )


def test_without_md5_no_object_can_be_found(bucket: Bucket) -> None:
    with pytest.raises(InputError) as raised:
        read(bucket.address, "")
    assert str(raised.value) == (
        f"data set {bucket.address}: expected the md5 of an object in this DVC remote, received none.\n"
        "Set data.md5 in params.yaml: data.dvc has it."
    )
    assert bucket.proxy.requests == []


@pytest.mark.parametrize("status", [401, 403])
def test_what_may_not_be_read_is_told_at_once(bucket: Bucket, md5: str, status: int) -> None:
    bucket.proxy.fail(status)
    with pytest.raises(InputError) as raised:
        read(bucket.address, md5)
    problem, _, mend = str(raised.value).partition("\n")
    assert problem.startswith(f"data set {bucket.address}: ")
    assert mend == CREDENTIALS[bucket.address[:2]]


def test_without_credentials_it_is_said_how_to_get_them(
    bucket: Bucket, md5: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    if bucket.address.startswith("gs"):
        bucket.proxy.fail(401)  # what Google answers to nobody
    with pytest.raises(InputError) as raised:
        read(bucket.address, md5)
    said = {"gs": "made up, 401", "s3": "Unable to locate credentials"}[bucket.address[:2]]
    assert str(raised.value) == f"data set {bucket.address}: {said}.\n{CREDENTIALS[bucket.address[:2]]}"


@pytest.mark.parametrize("fault", [503, "cut", "half"])
def test_a_fault_that_passes_is_not_noticed(bucket: Bucket, md5: str, fault: Fault) -> None:
    target = "download" if bucket.address.startswith("gs") else ""  # the content, where it has an address of its own
    bucket.proxy.fail(fault, times=1, method="GET", target=target)
    assert read(bucket.address, md5).md5 == md5


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", [503, "cut", "half", "corrupt"])
def test_a_fault_that_stays_is_one_that_may_pass(bucket: Bucket, md5: str, fault: Fault, temporary: Path) -> None:
    target = "download" if bucket.address.startswith("gs") else ""
    bucket.proxy.fail(fault, method="GET", target=target)
    started = time.monotonic()
    with pytest.raises(TemporaryError) as raised:
        read(bucket.address, md5)
    assert time.monotonic() - started < 20
    assert raised.value.exit_code == 75
    problem, _, mend = str(raised.value).partition("\n")
    assert problem.startswith(f"data set {bucket.address}: ")
    assert mend.startswith(AGAIN)
    assert list(temporary.iterdir()) == []


def test_a_damaged_object_is_told_from_a_whole_one(bucket: Bucket) -> None:
    with pytest.raises(TemporaryError) as raised:
        read(bucket.address, DAMAGED)
    assert str(raised.value) == (
        f"data set {bucket.address}: expected an object with md5 {DAMAGED}, received one with md5 "
        "6c7ba9c5a141421e1c03cb9807c97c74.\n"
        "Run the same command again. If it says so again, the remote is damaged: remove "
        "files/md5/fe/dcba9876543210fedcba9876543210 there, then: dvc push data.dvc"
    )


@pytest.mark.usefixtures("own_logging", "impatient")
@pytest.mark.parametrize(("fault", "code"), [(403, 1), (503, 75)])
def test_the_process_says_it_in_two_lines(
    bucket: Bucket, md5: str, fault: Fault, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.proxy.fail(fault)
    outputs = ("--faces-npz", "faces.npz", "--masks-npz", "masks.npz", "--audit-json", "audit.json")
    placed = [word if word.startswith("--") else str(tmp_path / word) for word in (*outputs, "--data-docs", "docs")]
    values = {"path": bucket.address, "md5": md5, "near-correlation": 0.95, "split": "official", "test-share": 0.3}
    values |= {"split-seed": 1, "ferplus": "", "expressions": 7}
    options = [word for name, value in values.items() for word in (f"--{name}", str(value))]
    with pytest.raises(SystemExit) as exit_:
        stage.run(main, Config, [*options, *placed])
    assert exit_.value.code == code
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert told[0].startswith(f"data set {bucket.address}: ")
    assert list(tmp_path.iterdir()) == []

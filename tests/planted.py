"""Credentials to plant in a process' environment, and a look for them in everything that it said and wrote."""

import gzip
import json
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

MARK = "-".join(("planted", "4c1f"))
"""stands in each of the secrets, and not in this file, of which a clone has a copy"""
PASSWORD = f"{MARK}-password"
USER = "team"

NEEDLES = (MARK.encode(), b64encode(f"{USER}:{PASSWORD}".encode()))
"""the secrets as they are, and user and password as HTTP's header has them"""


def environment(folder: Path) -> dict[str, str]:
    """What a desk, a CI system or a pod has: addresses with a password, tokens, keys; those in files in `folder`."""
    key = {"type": "service_account", "client_email": "a@b", "private_key": f"{MARK}-private-key"}
    (folder / "key.json").write_text(json.dumps(key))
    (folder / "token").write_text(f"{MARK}-pod-token")
    return {
        "MLFLOW_TRACKING_URI": f"https://{USER}:{PASSWORD}@mlflow.example.com",
        "MLFLOW_TRACKING_USERNAME": USER,
        "MLFLOW_TRACKING_PASSWORD": PASSWORD,
        "MLFLOW_TRACKING_TOKEN": f"{MARK}-mlflow-token",
        "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "key.json"),
        "KF_PIPELINES_SA_TOKEN_PATH": str(folder / "token"),
        "KFP_EXISTING_TOKEN": f"{MARK}-kubeflow-token",
        "AWS_SECRET_ACCESS_KEY": f"{MARK}-aws-key",
        "DOCKER_AUTH_CONFIG": f"{MARK}-docker",
    }


def leaks(said: str, folder: Path) -> list[str]:
    """Where a planted secret is found: the lines that say one, and the files below `folder` that hold one."""
    lines = [line for line in said.splitlines() if _holds(line.encode())]
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [*lines, *(str(path.relative_to(folder)) for path in files if any(map(_holds, _contents(path))))]


def _holds(content: bytes) -> bool:
    return any(needle in content for needle in NEEDLES)


def _contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file; of one that is packed, as .keras and .npz are, also those inside."""
    content = path.read_bytes()
    yield content
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())

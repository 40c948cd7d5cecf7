"""What a version holds, file by file, so that a changed byte can be found and named."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from components.fer.errors import InputError

NAME = "manifest.json"


class Entry(BaseModel):
    """One file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    """of the content, hexadecimal"""
    size: int
    """bytes"""


class Manifest(BaseModel):
    """The content of `manifest.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: str
    """sha256 of what was pushed: tells the same candidate from another"""
    files: Mapping[str, Entry]
    """by path inside the folder, all files but the manifest itself"""
    seal: str
    """sha256 of the rest: a change of the manifest is told from a change of a file"""

    @model_validator(mode="after")
    def _is_sealed(self) -> Self:
        if self.seal != _seal(self.candidate, self.files):
            raise ValueError("not what was stored: seal differs")
        return self


def sha256(path: Path) -> str:
    """Hash a file's content: hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(folder: Path, candidate: str) -> Manifest:
    """Make the manifest of what `folder` holds now."""
    files = {name: Entry(sha256=sha256(path), size=path.stat().st_size) for name, path in _files(folder).items()}
    return Manifest(candidate=candidate, files=files, seal=_seal(candidate, files))


def read(folder: Path) -> Manifest:
    """Read the manifest of the version in `folder`. Raises `InputError` where there is none or it is broken."""
    try:
        return Manifest.model_validate_json((folder / NAME).read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise InputError(f"version {folder}: expected a whole {NAME}, found none.", MEND) from error


def verify(folder: Path, stored: Manifest, version: str) -> None:
    """Hash every file again. Raises `InputError` that names the first one that is not as `version` was stored."""
    files = _files(folder)
    for name in sorted(files.keys() | stored.files.keys()):
        if name not in stored.files:
            raise InputError(f"version {version}: {name} was not there when the version was stored.", MEND)
        check(stored, name, sha256(files[name]) if name in files else None, version)


def check(stored: Manifest, name: str, received: str | None, version: str) -> None:
    """Raise `InputError` where `received`, the sha256 of a file of `version` or none, is not what was stored."""
    if received is None or name not in stored.files:
        raise InputError(f"version {version}: {name} is missing.", MEND)
    if received != stored.files[name].sha256:
        raise InputError(f"version {version}: {name} is not what was stored (its sha256 differs).", MEND)


MEND = "Restore the version from a backup, or push the model to another store."


def _seal(candidate: str, files: Mapping[str, Entry]) -> str:
    content = {"candidate": candidate, "files": {name: [entry.sha256, entry.size] for name, entry in files.items()}}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _files(folder: Path) -> dict[str, Path]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {name: path for path in found if (name := path.relative_to(folder).as_posix()) != NAME}

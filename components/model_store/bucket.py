"""The model store in a bucket of Google Cloud Storage.

    <store>/<name>/champion.json               which version serves, and the history: the commit point
    <store>/<name>/versions/0001.json          a version's manifest and where its files are: with it the version appears
    <store>/<name>/files/1a2b3c4d-<random>/... files of one version, under a name that its push alone uses

An object appears whole or not at all, and can be written on the condition that none is there, or that it still is what
was read (its generation). So a version's number is given once, the champion moves by compare-and-set, and nobody holds
a lock. A push that is killed leaves files that no version names; a later push removes them when they are a day old.
"""

import hashlib
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from google.api_core import exceptions as api
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from components.fer.errors import InputError, TemporaryError
from components.model_store import manifest
from components.model_store.manifest import Manifest
from components.model_store.records import Champion, lost_race, read_champion
from components.model_store.versions import DIGITS, Version, following, identity, number
from components.storage import gcs
from components.storage.progress import Counted, Progress

LONGEST_PUSH = 12 * 3600.0
"""Seconds after which a push gives up: its files must not be near the age at which others take them for litter."""

LITTER_AGE = 2 * LONGEST_PUSH
"""Seconds after which files that no version names were left by a push that died."""

PART = 16 * 1024 * 1024
"""Bytes of one request of an upload: what a fault of the network costs."""


class Record(BaseModel):
    """The content of `versions/0001.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    """0001-1a2b3c4d"""
    folder: str
    """name of the folder in `files` that holds them"""
    manifest: Manifest

    @model_validator(mode="after")
    def _is_named_by_its_candidate(self) -> Self:
        if self.version != identity(number(self.version), self.manifest.candidate):
            raise ValueError("not what was stored: version and candidate differ")
        return self


@dataclass(frozen=True)
class BucketStore:
    """A model store below a prefix of a bucket."""

    bucket: Any
    """google.cloud.storage's"""
    prefix: str
    """of all object names: empty, or with a slash at its end"""
    known: dict[str, Record] = field(default_factory=dict, compare=False, repr=False)
    """records that were read, by object name: they never change"""

    @classmethod
    def at(cls, address: str) -> Self:
        """Open the store at gs://BUCKET/PREFIX. Raises `InputError` without a bucket or without credentials."""
        bucket, _, prefix = address.removeprefix("gs://").partition("/")
        if not bucket:
            raise InputError(
                f"model store {address}: expected gs://BUCKET/PREFIX, found no bucket.",
                "Give one, e.g. --store gs://BUCKET/models",
            )
        with gcs.faults(f"model store {address}"):
            client = gcs.client()
        prefix = prefix.strip("/")
        return cls(client.bucket(bucket), f"{prefix}/" if prefix else "")

    def versions(self, name: str) -> list[Version]:
        """All versions of a model, oldest first."""
        with self._faults(name):
            return [self._version(name, record) for record in self._records(name)]

    def find(self, name: str, candidate: str) -> Version | None:
        """Find the version that holds the candidate of this sha256."""
        with self._faults(name):
            return self._found(name, candidate, self._records(name))

    def add(self, name: str, candidate: str, write: Callable[[Path], None]) -> Version:
        """Store what `write` puts into a folder as a new version, or give the one that this candidate has already."""
        with tempfile.TemporaryDirectory() as temporary:
            write(Path(temporary))
            described = manifest.describe(Path(temporary), candidate)
            folder = f"{candidate[:DIGITS]}-{secrets.token_hex(8)}"
            started = time.time()
            with self._faults(name):
                self._remove_litter(name)
                self._upload(name, Path(temporary), described, folder)
                if time.time() - started > LONGEST_PUSH:
                    raise TemporaryError(
                        f"model store {self._address(name)}: storing took longer than {LONGEST_PUSH / 3600:.0f} hours.",
                        "See to the network, then run the same command again.",
                    )
                return self._publish(name, candidate, described, folder)

    def manifest(self, name: str, version: str) -> Manifest:
        """Say what files a version has."""
        with self._faults(name):
            return self._record(self._record_name(name, version)).manifest

    def read(self, name: str, version: str, file: str) -> bytes:
        """Give the content of one file of a version, as it was stored."""
        with self._faults(name):
            record = self._record(self._record_name(name, version))
            content = self._content(f"{self._folder(name, record)}/{file}")
        received = None if content is None else hashlib.sha256(content).hexdigest()
        manifest.check(record.manifest, file, received, self._version(name, record).address)
        return content or b""

    @contextmanager
    def fetched(self, name: str, version: str) -> Iterator[Path]:
        """Give a temporary folder with all files of a version, each as it was stored, and its manifest."""
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            with self._faults(name):
                record = self._record(self._record_name(name, version))
                self._download(name, record, folder)
            manifest.verify(folder, record.manifest, self._version(name, record).address)
            (folder / manifest.NAME).write_text(record.manifest.model_dump_json(indent=2) + "\n")
            yield folder

    def champion(self, name: str) -> Champion | None:
        """Read which version serves. Raises `InputError` where the record or the version is broken."""
        with self._faults(name):
            return self._champion(name)[0]

    def move_champion(self, name: str, expected: Champion | None, champion: Champion) -> None:
        """Make `champion` the record if it is still `expected` (compare-and-set): the commit point of a promotion.

        Raises `TemporaryError` where another push moved it meanwhile.
        """
        with self._faults(name):
            found, generation = self._champion(name)
            if found != expected:
                raise lost_race(name, expected, found)
            if not self._put(f"{name}/champion.json", champion, generation):
                raise lost_race(name, expected, self._champion(name)[0])

    def _champion(self, name: str) -> tuple[Champion | None, int]:
        """Read the champion's record, and its generation: 0 where there is none."""
        path, versions = f"{name}/champion.json", self._address(f"{name}/versions")
        blob = self.bucket.get_blob(self.prefix + path, retry=gcs.retry())
        if blob is None:
            return None, 0
        content = self._content(path, blob.generation)
        if content is None:
            return self._champion(name)  # moved between the two calls
        champion = read_champion(content, self._address(path), versions)
        if champion.version not in {record.version for record in self._records(name)}:
            raise InputError(
                f"champion record {self._address(path)}: version {champion.version} is not in {versions}.",
                "Restore the version's objects from a backup.",
            )
        return champion, blob.generation

    def _found(self, name: str, candidate: str, records: list[Record]) -> Version | None:
        found = (record for record in records if record.manifest.candidate == candidate)
        return next((self._version(name, record) for record in found), None)

    def _publish(self, name: str, candidate: str, described: Manifest, folder: str) -> Version:
        """Give the uploaded files the next free number; where another push took it, look again and take the next."""
        while True:
            # One look for both: the number after the last one seen is free only if nobody stored anything since.
            records = self._records(name)
            stored = self._found(name, candidate, records)
            if stored is not None:
                return stored
            versions = [self._version(name, record) for record in records]
            record = Record(version=following(versions, candidate), folder=folder, manifest=described)
            if self._put(self._record_name(name, record.version), record, generation=0):
                return self._version(name, record)

    def _put(self, path: str, content: BaseModel, generation: int) -> bool:
        """Write an object if the one there is of this generation (0: none is there); tell whether that was so."""
        text = content.model_dump_json(indent=2) + "\n"
        try:
            self.bucket.blob(self.prefix + path).upload_from_string(
                text, "application/json", if_generation_match=generation, checksum="crc32c", retry=gcs.retry()
            )
        except api.PreconditionFailed:
            # So it is too where the first try did its work and its answer was lost: the content tells who wrote.
            return self._content(path) == text.encode()
        return True

    def _content(self, path: str, generation: int | None = None) -> bytes | None:
        """Read an object; none where there is none (of that generation)."""
        try:
            blob = self.bucket.blob(self.prefix + path, generation=generation)
            content: bytes = blob.download_as_bytes(checksum="crc32c", retry=gcs.retry())
        except api.NotFound:
            return None
        return content

    def _upload(self, name: str, folder: Path, described: Manifest, target: str) -> None:
        total = sum(entry.size for entry in described.files.values())
        progress = Progress(f"storing {self._address(f'{name}/files/{target}')}", total)
        for file, entry in described.files.items():
            blob = self.bucket.blob(f"{self.prefix}{name}/files/{target}/{file}", chunk_size=PART)
            with (folder / file).open("rb") as source:
                blob.upload_from_file(Counted(source, progress), size=entry.size, checksum="crc32c", retry=gcs.retry())

    def _download(self, name: str, record: Record, folder: Path) -> None:
        total = sum(entry.size for entry in record.manifest.files.values())
        progress = Progress(f"fetching {self._version(name, record).address}", total)
        for file in record.manifest.files:
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            blob = self.bucket.blob(f"{self.prefix}{self._folder(name, record)}/{file}")
            try:
                with path.open("wb") as target:
                    blob.download_to_file(Counted(target, progress), checksum="crc32c", retry=gcs.retry())
            except api.NotFound:
                path.unlink()  # the manifest tells that it is missing

    def _remove_litter(self, name: str) -> None:
        """Remove what pushes left that died."""
        found: dict[str, list[Any]] = {}
        for blob in self._list(f"{name}/files/"):
            folder = blob.name.removeprefix(f"{self.prefix}{name}/files/").partition("/")[0]
            found.setdefault(folder, []).append(blob)
        used = {record.folder for record in self._records(name)}  # after the files: a push may have ended meanwhile
        for folder, blobs in found.items():
            age = time.time() - max(blob.updated.timestamp() for blob in blobs)
            if folder not in used and age > LITTER_AGE:
                # Another push may be at it too: what is gone already is no error.
                self.bucket.delete_blobs(blobs, on_error=lambda blob: None, retry=gcs.retry())

    def _records(self, name: str) -> list[Record]:
        """The records of all versions of a model, oldest first."""
        names = [blob.name.removeprefix(self.prefix) for blob in self._list(f"{name}/versions/")]
        return sorted((self._record(path) for path in names), key=lambda record: number(record.version))

    def _record(self, path: str) -> Record:
        if path not in self.known:
            content = self._content(path)
            try:
                self.known[path] = Record.model_validate_json(content or b"")
            except ValidationError as error:
                raise InputError(
                    f"version {self._address(path)}: expected a whole record, found none.", manifest.MEND
                ) from error
        return self.known[path]

    def _list(self, path: str) -> Iterator[Any]:
        found: Iterator[Any] = self.bucket.list_blobs(prefix=self.prefix + path, retry=gcs.retry())
        return found

    def _record_name(self, name: str, version: str) -> str:
        return f"{name}/versions/{number(version):04d}.json"

    def _folder(self, name: str, record: Record) -> str:
        return f"{name}/files/{record.folder}"

    def _version(self, name: str, record: Record) -> Version:
        return Version(record.version, self._address(self._folder(name, record)))

    def _address(self, path: str) -> str:
        return f"gs://{self.bucket.name}/{self.prefix}{path}"

    def _faults(self, name: str) -> AbstractContextManager[None]:
        return gcs.faults(f"model store {self._address(name)}")

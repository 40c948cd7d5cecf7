"""A place for small sets of files, a folder or a bucket, where each file appears whole or not at all."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from components.fer.errors import InputError


class Blobs(Protocol):
    """Files by name. Methods raise `InputError` or `TemporaryError` for faults of the place."""

    def where(self, name: str) -> str:
        """The address of a file, for people."""

    def names(self) -> list[str]:
        """Names of all files."""

    def read(self, name: str) -> bytes:
        """The content of a file."""

    def write(self, name: str, content: bytes) -> None:
        """Make or replace a file, at once."""

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no fault."""


def open_blobs(address: str, name: str) -> Blobs:
    """The files below `name` at `address`, a folder or gs://BUCKET/PREFIX. Raises `InputError` where it is neither."""
    if address.startswith("gs://"):
        return BucketBlobs.at(f"{address.rstrip('/')}/{name}")
    if "://" in address:
        raise InputError(f"{address}: expected a folder or gs://BUCKET/PREFIX.", "Give one of them.")
    return FolderBlobs(Path(address) / name)


@dataclass(frozen=True)
class FolderBlobs:
    """Files of a folder, which is made when the first is written and removed with the last."""

    folder: Path

    def where(self, name: str) -> str:
        """The path of a file."""
        return str(self.folder / name)

    def names(self) -> list[str]:
        """Names of all files, unfinished ones left out."""
        found = self.folder.iterdir() if self.folder.is_dir() else []
        return [path.name for path in found if path.is_file() and not path.name.startswith(".")]

    def read(self, name: str) -> bytes:
        """The content of a file."""
        return (self.folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write under another name, bring it to the disk, rename, and bring that to the disk, too."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f".unfinished-{os.getpid()}"
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.folder / name)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()  # on a full disk it would be in the way of the next try
            error.filename = str(self.folder / name)  # a full disk's error has no path
            raise
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self, name: str) -> None:
        """Remove a file, and the folder with its last file; what killed processes left goes too."""
        (self.folder / name).unlink(missing_ok=True)
        if not self.names():
            for path in self.folder.glob(".unfinished-*"):
                path.unlink(missing_ok=True)
            with suppress(OSError):  # something that is not ours lies there
                self.folder.rmdir()


@dataclass(frozen=True)
class BucketBlobs:
    """Files below a prefix of a bucket of Google Cloud Storage, where an object appears when its upload ends."""

    bucket: Any
    """google.cloud.storage's"""
    prefix: str
    """of all object names, with a slash at its end"""

    @classmethod
    def at(cls, address: str) -> Self:
        """Open gs://BUCKET/PREFIX. Raises `InputError` without credentials."""
        from components.storage import gcs  # Google's client loads where it is used

        bucket, _, prefix = address.removeprefix("gs://").partition("/")
        with gcs.faults(address):
            return cls(gcs.client().bucket(bucket), f"{prefix}/")

    def where(self, name: str) -> str:
        """The address of a file."""
        return f"gs://{self.bucket.name}/{self.prefix}{name}"

    def names(self) -> list[str]:
        """Names of all files."""
        from components.storage import gcs

        with gcs.faults(self.where("")):
            found = self.bucket.list_blobs(prefix=self.prefix, retry=gcs.retry())
            return [blob.name.removeprefix(self.prefix) for blob in found]

    def read(self, name: str) -> bytes:
        """The content of a file; its checksum is compared on the way."""
        from components.storage import gcs

        with gcs.faults(self.where(name)):
            content: bytes = self.bucket.blob(self.prefix + name).download_as_bytes(retry=gcs.retry())
            return content

    def write(self, name: str, content: bytes) -> None:
        """Upload a file; its checksum is compared on arrival."""
        from components.storage import gcs

        with gcs.faults(self.where(name)):
            self.bucket.blob(self.prefix + name).upload_from_string(
                content, "application/octet-stream", checksum="crc32c", retry=gcs.retry()
            )

    def remove(self, name: str) -> None:
        """Remove a file."""
        from components.storage import gcs

        with gcs.faults(self.where(name)):
            self.bucket.delete_blobs([self.prefix + name], on_error=lambda _: None, retry=gcs.retry())

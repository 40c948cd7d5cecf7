"""What any model store does, wherever it keeps its versions."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from components.fer.errors import InputError
from components.model_store.folder import FolderStore
from components.model_store.manifest import Manifest
from components.model_store.records import Champion
from components.model_store.versions import Version


class Store(Protocol):
    """Whole versions that never change, and one champion per model name.

    A version appears at once; the champion moves by compare-and-set. So a reader needs no lock, and a push that is
    killed anywhere leaves the old champion or the new one. Methods raise `InputError` where the store is broken or may
    not be used, `TemporaryError` where it cannot be reached, or another push was faster.
    """

    def versions(self, name: str) -> list[Version]:
        """All versions of a model, oldest first."""

    def find(self, name: str, candidate: str) -> Version | None:
        """Find the version that holds the candidate of this sha256."""

    def add(self, name: str, candidate: str, write: Callable[[Path], None]) -> Version:
        """Store what `write` puts into the folder that it is given, as a new version.

        The same candidate (a sha256) is stored once: where it is there already, that version is returned.
        """

    def manifest(self, name: str, version: str) -> Manifest:
        """Say what files a version has."""

    def read(self, name: str, version: str, file: str) -> bytes:
        """Give the content of one file of a version, as it was stored."""

    def fetched(self, name: str, version: str) -> AbstractContextManager[Path]:
        """Give a folder with all files of a version, as they were stored; it may be gone when the context ends."""

    def champion(self, name: str) -> Champion | None:
        """Read which version serves."""

    def move_champion(self, name: str, expected: Champion | None, champion: Champion) -> None:
        """Make `champion` the record if it is still `expected`: the commit point of a promotion."""


def open_store(address: str) -> Store:
    """Open the store at `address`, a folder or gs://BUCKET/PREFIX. Raises `InputError` where it cannot be one."""
    if address.startswith("gs://"):
        from components.model_store.bucket import BucketStore  # Google's client loads where it is used

        return BucketStore.at(address)
    if "://" in address:
        raise InputError(
            f"model store {address}: expected a folder or gs://BUCKET/PREFIX, received an address of another kind.",
            "Give a folder, e.g. --store models, or a bucket, e.g. --store gs://BUCKET/models",
        )
    if Path(address).exists() and not Path(address).is_dir():
        raise InputError(f"model store {address}: expected a folder, found a file.", "Give another --store.")
    return FolderStore(Path(address))

"""The model store in a folder.

    <store>/<name>/champion.json                 which version serves, and the history: the commit point
    <store>/<name>/versions/0001-1a2b3c4d/...    one version, its manifest.json inside
    <store>/<name>/.unfinished-*                 what a push is writing, or left when it was killed
    <store>/<name>/.lock                         held for the moment of a rename

A version appears by a rename and never changes; the champion moves by compare-and-set. So a reader needs no lock, and a
push that is killed anywhere leaves the old champion or the new one.
"""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.fer.errors import InputError, TemporaryError
from components.model_store import manifest
from components.model_store.manifest import Manifest
from components.model_store.records import Champion, lost_race, read_champion
from components.model_store.versions import Version, following, number

_VERSION = re.compile(r"\d{4,}-[0-9a-f]{8}")


@dataclass(frozen=True)
class FolderStore:
    """A model store on a folder (of one file system, which may be shared if it has flock)."""

    root: Path

    def versions(self, name: str) -> list[Version]:
        """All versions of a model, oldest first."""
        folder = self.root / name / "versions"
        found = [path for path in folder.iterdir() if _VERSION.fullmatch(path.name)] if folder.is_dir() else []
        return [Version(path.name, str(path)) for path in sorted(found, key=lambda path: number(path.name))]

    def find(self, name: str, candidate: str) -> Version | None:
        """Find the version that holds the candidate of this sha256."""
        for version in self.versions(name):
            if version.id.endswith(candidate[:8]) and manifest.read(Path(version.address)).candidate == candidate:
                return version
        return None

    def add(self, name: str, candidate: str, write: Callable[[Path], None]) -> Version:
        """Store what `write` puts into a folder as a new version, or give the one that this candidate has already."""
        with _faults(self.root / name):
            (self.root / name / "versions").mkdir(parents=True, exist_ok=True)
            with self._lock(name):
                self._remove_unfinished(name)
                unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=self.root / name))
                unfinished.chmod(0o755)  # mkdtemp's own mode lets nobody else read the version
                alive = os.open(unfinished, os.O_RDONLY)
                fcntl.flock(alive, fcntl.LOCK_EX)  # until this process ends, however it ends
            try:
                write(unfinished)
                described = manifest.describe(unfinished, candidate)
                (unfinished / manifest.NAME).write_text(described.model_dump_json(indent=2) + "\n")
                _seal(unfinished)
                with self._lock(name):
                    return self.find(name, candidate) or self._publish(name, candidate, unfinished)
            finally:
                os.close(alive)
                shutil.rmtree(unfinished, ignore_errors=True)

    def manifest(self, name: str, version: str) -> Manifest:
        """Say what files a version has."""
        return manifest.read(self._folder(name, version))

    def read(self, name: str, version: str, file: str) -> bytes:
        """Give the content of one file of a version, as it was stored."""
        folder = self._folder(name, version)
        path = folder / file
        manifest.check(manifest.read(folder), file, manifest.sha256(path) if path.is_file() else None, str(folder))
        return path.read_bytes()

    @contextmanager
    def fetched(self, name: str, version: str) -> Iterator[Path]:
        """Give the folder of a version, after all its files were hashed again."""
        folder = self._folder(name, version)
        manifest.verify(folder, manifest.read(folder), str(folder))
        yield folder

    def champion(self, name: str) -> Champion | None:
        """Read which version serves. Raises `InputError` where the record or the version is broken."""
        path = self.root / name / "champion.json"
        versions = path.parent / "versions"
        try:
            champion = read_champion(path.read_bytes(), str(path), str(versions))
        except FileNotFoundError:
            return None
        if champion.version not in {version.id for version in self.versions(name)}:
            raise InputError(
                f"champion record {path}: version {champion.version} is not in {versions}.",
                "Restore the version's folder from a backup.",
            )
        return champion

    def move_champion(self, name: str, expected: Champion | None, champion: Champion) -> None:
        """Make `champion` the record if it is still `expected` (compare-and-set): the commit point of a promotion.

        Raises `TemporaryError` where another push moved it meanwhile.
        """
        path = self.root / name / "champion.json"
        with _faults(self.root / name), self._lock(name):
            found = self.champion(name)
            if found != expected:
                raise lost_race(name, expected, found)
            # One name is enough, and leaves no litter after a crash: the lock's holder alone writes it.
            unfinished = path.with_name(".champion.json")
            unfinished.write_text(champion.model_dump_json(indent=2) + "\n")
            _sync(unfinished)
            unfinished.replace(path)
            _sync(path.parent)

    def _folder(self, name: str, version: str) -> Path:
        return self.root / name / "versions" / version

    def _publish(self, name: str, candidate: str, unfinished: Path) -> Version:
        identity = following(self.versions(name), candidate)
        folder = unfinished.rename(self._folder(name, identity))
        for parent in folder.parents[:3]:  # versions, the model's folder, the store: each may be new
            _sync(parent)
        return Version(identity, str(folder))

    def _remove_unfinished(self, name: str) -> None:
        """Remove what killed pushes left; a push that lives holds a lock on its folder."""
        for folder in (self.root / name).glob(".unfinished-*"):
            handle = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            except BlockingIOError:
                continue
            finally:
                os.close(handle)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        with (self.root / name / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@contextmanager
def _faults(folder: Path) -> Iterator[None]:
    """Tell faults of the storage from faults of the program, and those that may pass from those that will not."""
    try:
        yield
    except (PermissionError, NotADirectoryError) as error:
        raise InputError(f"model store {folder}: {error.strerror}.", "Give a --store that you may write.") from error
    except OSError as error:
        raise TemporaryError(f"model store {folder}: {error}.", "Run the same command again.") from error


def _seal(folder: Path) -> None:
    """Make all files read-only and all content durable, so that the rename cannot come to disk before it."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

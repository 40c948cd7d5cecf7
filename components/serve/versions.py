"""Which version the server answers with: one in a store, or in a folder, whole or refused by the name of the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.fer.errors import InputError, UsageError
from components.model_store import lineage, manifest
from components.model_store.lineage import Lineage
from components.model_store.store import Store, open_store
from components.model_store.versions import DIGITS, known
from components.serve import runtime

if TYPE_CHECKING:  # `ferflow predict` has no use for what reads a command line
    from components.serve.config import Config


@dataclass(frozen=True)
class Opened:
    """A version whose files were hashed and are those that were stored."""

    name: str
    version: str
    folder: Path
    lineage: Lineage

    @property
    def light(self) -> Path:
        """The file of its light model. Raises `InputError` where it has none."""
        path = self.folder / runtime.NAME
        if not path.is_file():
            raise InputError(
                f"version {self.version}: expected a light model {runtime.NAME}, found none.",
                "Push its model again, to another store: versions of earlier releases have none, and never change.",
            )
        return path


@contextmanager
def opened(config: "Config") -> Iterator[Opened]:
    """Give the version that `config` names; its folder may be gone when the context ends.

    Raises `UsageError` where it names none or two, `InputError` where there is none, or a file is not as stored.
    """
    if (config.model is None) == (not config.store):
        raise UsageError("expected --model FOLDER, or --store STORE with --name NAME, received both or neither.")
    if config.model is not None:
        yield _in_folder(config.model, config.name, config.version)
    elif not config.name:
        raise UsageError("--store: expected --name NAME with it, received none.")
    else:
        with in_store(open_store(config.store), config.name, config.version) as found:
            yield found


@contextmanager
def in_store(store: Store, name: str, version: str) -> Iterator[Opened]:
    """Give a version of model `name`, the champion where `version` is empty. Raises `InputError` as `opened` does."""
    if version:
        known(store.versions(name), name, version)
    else:
        champion = store.champion(name)
        if champion is None:
            problem = f"model {name}: expected a champion in its store, found none."
            raise InputError(problem, "Name a --version, or promote one: ferflow models list")
        version = champion.version
    with store.fetched(name, version) as folder:
        yield Opened(name, version, folder, _lineage(folder))


def _in_folder(folder: Path, name: str, version: str) -> Opened:
    """A folder has its version's files alone: the version's name is the folder's, or given, or the digits that it has.

    Given names are held to the candidate's digits, which a manifest has.
    """
    if not folder.is_dir():
        raise InputError(f"model {folder}: expected a folder with the files of a version, found none.", "Give --model.")
    stored = manifest.read(folder)
    manifest.verify(folder, stored, str(folder))
    digits = stored.candidate[:DIGITS]
    if version and not version.endswith(f"-{digits}"):
        problem = f"model {folder}: expected version {version}, found the files of one that ends in {digits}."
        raise InputError(problem, "Give its own --version, or the folder of that version.")
    found = _lineage(folder)
    named = folder.resolve().name
    return Opened(name or found.name, version or (named if named.endswith(f"-{digits}") else digits), folder, found)


def _lineage(folder: Path) -> Lineage:
    return lineage.parse((folder / lineage.NAME).read_bytes(), str(folder))

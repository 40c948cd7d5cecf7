"""Where the models of a job are: store, name and registry of its params.yaml, or others that were asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from components.fer.errors import InputError
from components.model_store.store import Store, open_store
from components.registry import mirrors
from pipeline import parameters
from pipeline.jobs import job

SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Place:
    """A model in a store, and the registries that show it."""

    store: Store
    name: str
    registry: str
    """one address, or several, separated by commas"""
    folder: Path
    """of the job: its dvc.lock says what else of the version is at hand"""

    @classmethod
    def of(cls, recipe: str | None, store: str | None, name: str | None, registry: str | None) -> Self:
        """The place of a recipe, or of the main job; what is given takes the place of its params.yaml's.

        Raises `InputError` where the job pushes nothing, or an address can be none.
        """
        title, found = job(recipe)
        values = parameters.document(found.folder / "params.yaml").get("registry", {})
        if not values and not (store and name and registry):
            raise InputError(
                f"recipe {title}: expected a job that pushes a model, found no section registry in its params.yaml.",
                "Name another --recipe, or --store, --name and --registry.",
            )
        registry = registry or ",".join(_from(found.folder, address) for address in values["registry"].split(","))
        mirrors.check(registry)
        opened = open_store(store or _path_from(found.folder, values["store"]))
        return cls(opened, name or values["name"], registry, found.folder)


def _from(folder: Path, address: str) -> str:
    """The address as it is seen from here: a job's sqlite file is beside its params.yaml."""
    address = address.strip()
    return f"{SQLITE}{folder / address.removeprefix(SQLITE)}" if address.startswith(SQLITE) else address


def _path_from(folder: Path, address: str) -> str:
    return address if "://" in address else str(folder / address)

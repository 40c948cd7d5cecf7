"""All registries of a model at once: `registry` names one, or several, separated by commas.

The store decides; the registries follow. Everything is found or completed, so that a mirror is right after anything
that ran to its end, however earlier ones ended. Files stay in the store.
"""

import logging
from collections.abc import Sequence
from types import ModuleType
from urllib.parse import urlsplit, urlunsplit

from components.fer.errors import InputError, TemporaryError
from components.model_store.store import Store
from components.registry import kubeflow_mirror, mlflow_mirror
from components.registry.entries import Aliases, Entry, Shown, aliases, differences, entries

log = logging.getLogger("ferflow")

MEND = (
    "The model store is up to date. To bring the registry up to date too: ferflow models sync, or the same push again"
)


def check(registry: str) -> None:
    """Raise `InputError` where an address can be none of a registry; nothing is opened."""
    for address in addresses(registry):
        scheme = address.partition("://")[0]
        is_known = scheme in kubeflow_mirror.SCHEMES or scheme.split("+")[0] in mlflow_mirror.SCHEMES
        if "://" not in address or not is_known:
            raise InputError(
                f"registry {printable(address)}: expected an MLflow tracking address "
                f"({', '.join(mlflow_mirror.SCHEMES)}) or a Kubeflow Model Registry ({kubeflow_mirror.EXAMPLE}).",
                "Give a sqlite file, e.g. --registry sqlite:///mlflow.db, or a server, e.g. http://mlflow:5000",
            )


def addresses(registry: str) -> list[str]:
    """The addresses that `registry` names."""
    return [address.strip() for address in registry.split(",")]


def printable(registry: str) -> str:
    """`registry` without users and passwords."""
    return ",".join(_without_user(address) for address in addresses(registry))


def mirror(registry: str, name: str, store: Store) -> None:
    """Make each registry say about model `name` what the store says; raises as `update`."""
    champion = store.champion(name)
    update(registry, name, entries(name, store, champion), aliases(champion))


def update(registry: str, name: str, wanted: Sequence[Entry], named: Aliases) -> None:
    """Make each registry say about model `name` what it shall.

    Raises `TemporaryError` where one cannot be reached or refuses, after the others were brought up to date.
    """
    told = []
    for address in addresses(registry):
        try:
            said = _kind(address).mirror(address, name, wanted, named)
        except Exception as error:  # what SQLAlchemy, alembic, requests and aiohttp raise, and the libraries above them
            told.append(f"registry {_without_user(address)}: {_said(address, error)}")
            continue
        for alias in (alias for alias in named if alias not in said):
            log.warning(
                "registry %s: alias %s stays as it is there, for it has not %s, which is damaged. "
                "Restore the version from a backup, then: ferflow models sync",
                *(_without_user(address), alias, named[alias]),
            )
    if told:
        raise TemporaryError("\n".join(told), MEND)


def lagging(address: str, name: str, wanted: Sequence[Entry], named: Aliases) -> list[str]:
    """Name what one registry does not say as it shall. Raises `TemporaryError` where it cannot be asked."""
    return list(differences(wanted, named, shown(address, name)))


def shown(address: str, name: str) -> Shown:
    """Read what one registry says about model `name`. Raises `TemporaryError` where it cannot be asked."""
    try:
        found: Shown = _kind(address).shown(address, name)
        return found
    except Exception as error:
        raise TemporaryError(f"registry {_without_user(address)}: {_said(address, error)}") from error


def is_absent(address: str) -> bool:
    """Whether the registry is a file that is not there."""
    return _kind(address) is mlflow_mirror and mlflow_mirror.is_absent(address)


def _kind(address: str) -> ModuleType:
    return kubeflow_mirror if address.startswith(kubeflow_mirror.SCHEMES) else mlflow_mirror


def _without_user(address: str) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if parts.username else address


def _said(address: str, error: Exception) -> str:
    """The first line of what a library says, without user and password."""
    cause = str(error).strip().partition("\n")[0] or type(error).__name__
    secret = urlsplit(address).netloc.rpartition("@")[0]
    return cause.replace(f"{secret}@", "") if secret else cause

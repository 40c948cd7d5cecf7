"""What a registry shall say: an entry for each stored version, and the aliases; and how what it says differs."""

import json
import logging
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path

from components.fer import executor
from components.fer.errors import InputError
from components.model_store import lineage
from components.model_store.lineage import Lineage
from components.model_store.manifest import MEND
from components.model_store.records import Champion, serving, verdict_of
from components.model_store.store import Store
from components.model_store.versions import Version, number

log = logging.getLogger("ferflow")

METRICS = "metrics.json"

Aliases = Mapping[str, str | None]
"""`champion` and `previous` by stored version; none where there is none."""


@dataclass(frozen=True)
class Entry:
    """What the registry says about one stored version."""

    version: str
    """in the store"""
    address: str
    """where the store keeps it: a folder, or gs://BUCKET/..."""
    when: datetime
    tags: Mapping[str, str]
    metrics: Mapping[str, float]

    @property
    def uri(self) -> str:
        """The address as a URI."""
        return self.address if "://" in self.address else Path(self.address).resolve().as_uri()


@dataclass(frozen=True)
class Said:
    """What a registry says about one stored version."""

    tags: Mapping[str, Mapping[str, str]]
    """by what bears them: `tag` of the version, `tag of the run` where there are runs"""
    metrics: Mapping[str, float]
    source: str | None
    """where its files are; none where the registry does not say"""
    has_run: bool = True
    """whether its run is there, in a registry where a run bears the metrics"""


@dataclass(frozen=True)
class Shown:
    """What a registry says about a model now."""

    versions: Mapping[str, Said]
    """by stored version"""
    aliases: Aliases
    source: Callable[[Entry], str] = attrgetter("uri")
    """where it shall say that the files of an entry are"""


def entries(name: str, store: Store, champion: Champion | None) -> list[Entry]:
    """Gather what a registry shall say about each stored version, oldest first.

    A damaged one is left out, with a warning: registries keep what they say about it, and follow the store in all else.
    """
    found = []
    for version in store.versions(name):
        try:
            found.append(entry(name, store, champion, version))
        except InputError as error:
            cause = str(error).partition("\n")[0]
            log.warning(
                "%s %s is damaged, so registries keep what they say about it: %s Look: ferflow models verify %s",
                *(name, version.id, cause, version.id),
            )
    return found


def entry(name: str, store: Store, champion: Champion | None, version: Version) -> Entry:
    """Gather what a registry shall say about one stored version. Raises `InputError` where it is damaged."""
    record = lineage.parse(store.read(name, version.id, lineage.NAME), version.address)
    tags = {
        "data_md5": record.data_md5,
        "manifest_sha256": store.manifest(name, version.id).seal,
        "verdict": verdict_of(champion, version.id, record.verdict).decision,
        "private_opened": str(number(version.id)),
        **_origin(record),
    }
    metrics = _numbers(store.read(name, version.id, METRICS), version.address)
    return Entry(version.id, version.address, record.when, tags, metrics)


def aliases(champion: Champion | None) -> Aliases:
    """Say which stored version has which alias."""
    return {"champion": serving(champion), "previous": champion.previous if champion else None}


def settable(named: Aliases, there: Collection[str]) -> Aliases:
    """The aliases but those of a version that is not `there`: a damaged one that a registry never had."""
    return {alias: version for alias, version in named.items() if version is None or version in there}


def differences(wanted: Sequence[Entry], named: Aliases, shown: Shown) -> Iterator[str]:
    """Name each thing that a registry does not say as it shall, in words; what it cannot say is no difference."""
    for entry in wanted:
        said = shown.versions.get(entry.version)
        if said is None:
            yield f"version {entry.version} is not there"
            continue
        for what, found, expected in _facts(entry, said, shown.source(entry)):
            if found != expected:
                yield f"version {entry.version}: {what} is {_or_absent(found)}, expected {expected}"
        if not said.has_run:
            yield f"version {entry.version}: its run is not there"
    there = {*shown.versions, *(entry.version for entry in wanted)}
    for alias, version in settable(named, there).items():
        if shown.aliases.get(alias) != version:
            yield f"alias {alias} is {_or_absent(shown.aliases.get(alias))}, expected {version or 'none'}"


def _facts(entry: Entry, said: Said, source: str) -> Iterator[tuple[str, str | float | None, str | float]]:
    """What a registry says about a version, one thing at a time: its name, what was found and what is expected."""
    yield "source", said.source, source
    for bearer, tags in said.tags.items():
        yield from ((f"{bearer} {key}", tags.get(key), value) for key, value in entry.tags.items())
    if said.has_run:
        yield from ((f"metric {key}", said.metrics.get(key), value) for key, value in entry.metrics.items())


def _or_absent(found: str | float | None) -> str | float:
    return "not there" if found is None else found


def _numbers(content: bytes, version: str) -> dict[str, float]:
    """Read the numbers of the metrics.json of `version`. Raises `InputError` where no registry would take them."""
    try:
        numbers = executor.numbers(json.loads(content))
    except (ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise InputError(f"version {version}: expected a JSON object {METRICS}, found none ({error}).", MEND) from error
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise InputError(f"version {version}, {METRICS}: expected a finite number {name}, found {value}.", MEND)
    return numbers


def _origin(record: Lineage) -> dict[str, str]:
    """The commit, and the run of a submission, as far as they are known."""
    made, (commit, dirty) = record.provenance, record.commit
    known = {"commit": commit and f"{commit}{'-dirty' if dirty else ''}", "run": made and made.run}
    return {key: value for key, value in known.items() if value}

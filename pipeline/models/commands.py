"""The commands of `ferflow models`, but for verify."""

import getpass
import os
import sys
from collections.abc import Iterator

from components.fer.errors import InputError, TemporaryError
from components.model_store import lineage, promotion
from components.model_store.lineage import Lineage
from components.model_store.records import Champion, Move, Verdict, verdict_of
from components.model_store.versions import Version, known
from components.registry import mirrors
from components.registry.entries import aliases, entries, entry
from pipeline.cluster.columns import aligned
from pipeline.models.place import Place


def show_all(place: Place) -> None:
    """Print all versions: when stored, what the gate said, accuracy on PublicTest, and which serves."""
    versions, champion = place.store.versions(place.name), place.store.champion(place.name)
    if not versions:
        return say(f"{place.name}: no version is stored. A job stores one: ferflow run")
    rows: list[tuple[str, ...]] = [("version", "stored", "verdict", "PublicTest %", "")]
    rows += [_row(place, champion, version) for version in versions]
    return say(aligned(rows))


def show(place: Place, version: str) -> None:
    """Print where a version comes from, what the gate said and why, its moves and its files."""
    found = known(place.store.versions(place.name), place.name, version)
    record = lineage.parse(place.store.read(place.name, found.id, lineage.NAME), found.address)
    champion = place.store.champion(place.name)
    rows = [
        *_origin(record),
        *_verdict(verdict_of(champion, found.id, record.verdict)),
        *_labelled("moves", map(_move, (m for m in champion.history if m.version == found.id) if champion else ())),
        *_labelled("files", _files(place, found)),
    ]
    say(f"{place.name} {found.id} {_mark(champion, found)}".rstrip())
    say(aligned([("  where", found.address), *((f"  {label}".rstrip(), text) for label, text in rows)]))


def promote(place: Place, version: str, reason: str) -> None:
    """Make a version champion because a person says so, then bring the registries up to date."""
    champion = place.store.champion(place.name)
    _moved(place, promotion.by_person(place.store, place.name, champion, version, _who(), reason))


def rollback(place: Place, reason: str) -> None:
    """Make the previous champion the champion again, then bring the registries up to date."""
    champion = place.store.champion(place.name)
    _moved(place, promotion.back(place.store, place.name, champion, _who(), reason))


def sync(place: Place) -> None:
    """Bring each registry up to date, and say what it did not say as it shall.

    Raises `TemporaryError` where one cannot be reached, `InputError` where one stays as it was.
    """
    champion = place.store.champion(place.name)
    wanted, named = entries(place.name, place.store, champion), aliases(champion)
    for address in mirrors.addresses(place.registry):
        try:
            found = mirrors.lagging(address, place.name, wanted, named)
        except TemporaryError:
            continue  # mirror says so, after the others are up to date
        say(f"registry {mirrors.printable(address)}: {f'{len(found)} to put right' if found else 'nothing to do'}")
        for line in found:
            say(f"    {line}")
    mirrors.update(place.registry, place.name, wanted, named)
    for address in mirrors.addresses(place.registry):
        for line in mirrors.lagging(address, place.name, wanted, named):
            raise InputError(
                f"registry {mirrors.printable(address)}: {line}, though it was written.",
                "Somebody else changed it, or it refuses to be changed: delete the version there, and its run, "
                "then sync again.",
            )


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _moved(place: Place, champion: Champion) -> None:
    say(f"champion of {place.name}: {champion.version}, previous: {champion.previous or 'none'}")
    mirrors.mirror(place.registry, place.name, place.store)
    say(f"registry {mirrors.printable(place.registry)}: up to date")


def _row(place: Place, champion: Champion | None, version: Version) -> tuple[str, ...]:
    try:
        found = entry(place.name, place.store, champion, version)
    except InputError:
        broken = f"broken: ferflow models verify {version.id}"
        return version.id, "", "", "", f"{_mark(champion, version)} {broken}".lstrip()
    accuracy = f"{100 * found.metrics['public.accuracy']:.2f}" if "public.accuracy" in found.metrics else ""
    return version.id, f"{found.when:%Y-%m-%d %H:%M}", found.tags["verdict"], accuracy, _mark(champion, version)


def _mark(champion: Champion | None, version: Version) -> str:
    return next((alias for alias, named in aliases(champion).items() if named == version.id), "")


def _origin(record: Lineage) -> Iterator[tuple[str, str]]:
    made = record.provenance
    yield "stored", f"{record.when:%Y-%m-%d %H:%M} UTC"
    yield "data", f"md5 {record.data_md5}"
    yield "prepared", f"md5 {record.prepared_md5}" if record.prepared_md5 else "not known"
    commit, dirty = record.commit
    yield "code", f"commit {commit or 'not known'}{', with changes' if dirty else ''}"
    yield "run", (made and made.run) or "at a desk"
    yield from _labelled("images", (f"{name} {image}" for name, image in (made.images if made else {}).items()))
    parameters = made.parameters if made else {}
    yield from _labelled("parameters", (f"{key.replace('__', '.', 1)}: {value}" for key, value in parameters.items()))
    yield "made with", ", ".join(f"{k} {v}" for k, v in {"Python": record.python, **record.packages}.items())
    yield "weights", f"{record.parameter_count:,}, sha256 of their file {record.model_sha256}"


def _verdict(verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "verdict", f"{verdict.decision}, against {verdict.against}"
    yield from (("", reason) for reason in verdict.reasons)


def _move(move: Move) -> str:
    who = {"gate": "by the gate", "person": f"by {move.who}", "rollback": f"by {move.who}, going back"}[move.by]
    follows = f", after {move.previous}" if move.previous else ""
    return f"{move.when:%Y-%m-%d %H:%M} UTC {who}{follows}{f': {move.reason}' if move.reason else ''}"


def _files(place: Place, version: Version) -> Iterator[str]:
    for name, file in place.store.manifest(place.name, version.id).files.items():
        yield f"{file.sha256}  {name} ({file.size:,} bytes)"


def _labelled(label: str, lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Lines below each other, the first one with a label."""
    yield from ((label if place == 0 else "", line) for place, line in enumerate(lines))


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container, where a user may have no name
        return f"user {os.getuid()}"

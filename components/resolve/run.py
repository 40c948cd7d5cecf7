"""The stage: read which data there is, compare with what the store has, say whether a training is due."""

import json
import logging
from collections.abc import Mapping, Set
from dataclasses import dataclass

from components.fer import stage
from components.fer.errors import InputError
from components.model_store import lineage, provenance
from components.model_store.lineage import Lineage
from components.model_store.records import Champion
from components.model_store.store import Store, open_store
from components.resolve import data_version
from components.resolve.config import Config
from components.resolve.difference import Origin, differences

log = logging.getLogger("ferflow")


@dataclass(frozen=True)
class Finding:
    """Whether a training is due, and why."""

    changed: bool
    reason: str
    same: str | None
    """the stored version that a training would make once more"""
    differs_from_champion: list[str]


def run(config: Config) -> None:
    """Write the data's md5, whether anything changed, and what differs from the champion.

    Changed means that no stored version was made of the same data, parameters and images. A version that was judged and
    not promoted counts too: to train it again would come to the same.
    """
    made = provenance.parse(config.provenance)
    if made is None:
        raise InputError(
            "provenance: expected what this run is made of, received nothing.", "ferflow schedule apply gives it."
        )
    store = open_store(config.store)
    now = Origin(data_version.md5(config.data_dvc), made)
    champion = store.champion(config.name)
    found = finding(config, now, champion, lineages(store, config.name))
    log.info("data md5 %s", now.data_md5)
    for line in found.differs_from_champion:
        log.info("  %s", line)
    log.info("%s: %s", "changed" if found.changed else "nothing to do", found.reason)
    report = {
        "name": config.name,
        "md5": now.data_md5,
        "changed": found.changed,
        "reason": found.reason,
        "same_as": found.same,
        "champion": champion.version if champion else None,
        "differs_from_champion": found.differs_from_champion,
    }
    with stage.outputs(config) as out:
        out.md5.write_text(now.data_md5)
        out.changed.write_text("true" if found.changed else "false")
        out.report_json.write_text(json.dumps(report, indent=2) + "\n")


def lineages(store: Store, name: str) -> dict[str, Lineage]:
    """Where each stored version of a model comes from, oldest first."""
    return {
        version.id: lineage.parse(store.read(name, version.id, lineage.NAME), version.address)
        for version in store.versions(name)
    }


def finding(config: Config, now: Origin, champion: Champion | None, stored: Mapping[str, Lineage]) -> Finding:
    """Compare a run that would start now with every version of the store."""
    moves = {move.version for move in champion.history} if champion else set()
    same = next((v for v, record in stored.items() if _settled(v, record, moves) and not _compared(now, record)), None)
    against = _compared(now, stored[champion.version]) if champion else []
    if config.always:
        return Finding(True, "a training was asked for (--always)", same, against)
    if not stored:
        return Finding(True, f"no version of {config.name} is stored", same, against)
    if same is None:
        return Finding(True, f"no version of {config.name} was made of this data, code and parameters", same, against)
    kind = "the champion" if champion and champion.version == same else "judged and not the champion"
    return Finding(False, f"{same}, {kind}, was made of this data, code and parameters", same, against)


def _compared(now: Origin, record: Lineage) -> list[str]:
    return differences(now, Origin(record.data_md5, record.provenance))


def _settled(version: str, record: Lineage, moves: Set[str]) -> bool:
    """Whether a version's push came to its end: one that was better, but died before it became champion, did not."""
    return record.verdict.decision != "PROMOTE" or version in moves

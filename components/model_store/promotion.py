"""How the champion moves: by the gate at a push, by a person, and back. The store's compare-and-set commits each move.

Whoever decides has looked at a champion, and gives it: where another moved it meanwhile, nothing happens.
"""

from dataclasses import replace
from datetime import UTC, datetime

from components.fer.errors import InputError
from components.model_store import lineage
from components.model_store.records import (
    Champion,
    Decider,
    Move,
    Verdict,
    followed,
    promoted,
    serving,
    verdict_of,
    was_champion,
)
from components.model_store.store import Store
from components.model_store.versions import known


def barred(champion: Champion | None, version: str, verdict: Verdict) -> Verdict:
    """Make PROMOTE a HOLD for a version that was moved away from: a push that is repeated does not undo a decision."""
    if verdict.decision != "PROMOTE" or serving(champion) == version or not was_champion(champion, version):
        return verdict
    reason = f"was champion before, and only a person makes it champion again: ferflow models promote {version}"
    return replace(verdict, decision="HOLD", reasons=(reason, *verdict.reasons))


def by_gate(store: Store, name: str, champion: Champion | None, version: str, verdict: Verdict) -> Champion | None:
    """Promote a version whose verdict is PROMOTE; gives the champion after that."""
    if verdict.decision != "PROMOTE" or serving(champion) == version:
        return champion
    following = promoted(champion, version, verdict, datetime.now(UTC))
    store.move_champion(name, champion, following)
    return following


def by_person(store: Store, name: str, champion: Champion | None, version: str, who: str, reason: str) -> Champion:
    """Promote a version because a person says so.

    Raises `InputError` for a version that is not stored, not whole, rejected by the gate, or champion already.
    """
    address = known(store.versions(name), name, version).address
    if serving(champion) == version:
        raise InputError(f"version {version} of {name}: expected another than the champion.", "Nothing is to be done.")
    with store.fetched(name, version) as folder:  # whole, or it is refused
        stored = lineage.parse((folder / lineage.NAME).read_bytes(), address).verdict
    verdict = verdict_of(champion, version, stored)
    if verdict.decision == "REJECT":
        raise InputError(
            f"version {version} of {name}: expected one that the gate does not reject. It did: "
            f"{'; '.join(verdict.reasons)}.",
            "Push a better model.",
        )
    return _moved(store, name, champion, version, "person", who, reason)


def back(store: Store, name: str, champion: Champion | None, who: str, reason: str) -> Champion:
    """Make the previous champion the champion again; a second time, this one.

    Raises `InputError` where there is none, or it is not whole.
    """
    if champion is None or champion.previous is None:
        raise InputError(f"champion of {name}: expected one that followed another, found none.", "ferflow models list")
    with store.fetched(name, champion.previous):
        pass  # whole, or it is refused
    return _moved(store, name, champion, champion.previous, "rollback", who, reason)


def _moved(
    store: Store, name: str, champion: Champion | None, version: str, by: Decider, who: str, reason: str
) -> Champion:
    move = Move(version=version, previous=serving(champion), when=datetime.now(UTC), by=by, who=who, reason=reason)
    following = followed(champion, move)
    store.move_champion(name, champion, following)
    return following

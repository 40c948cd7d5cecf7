"""How the champion moves, in a folder and in a bucket: by the gate, by a person, and back."""

from collections.abc import Callable

import pytest

from components.fer.errors import InputError, TemporaryError
from components.model_store import promotion
from components.model_store.records import Champion
from components.model_store.store import Store
from tests.components.model_store.made import NAME, make, verdict

PROMOTE = verdict("PROMOTE")


def push(store: Store, right: int) -> str:
    """Store a version, and promote it as a push does whose gate says PROMOTE."""
    version, champion = make(store, right).id, store.champion(NAME)
    promotion.by_gate(store, NAME, champion, version, promotion.barred(champion, version, PROMOTE))
    return version


def champion(store: Store) -> Champion:
    found = store.champion(NAME)
    assert found is not None
    return found


def test_the_gate_promotes_what_it_lets_through_and_nothing_else(store: Store) -> None:
    held = make(store, 50, "HOLD").id
    assert promotion.by_gate(store, NAME, None, held, verdict("HOLD")) is None
    assert store.champion(NAME) is None
    first, second = push(store, 60), push(store, 70)
    assert (champion(store).version, champion(store).previous) == (second, first)
    assert [(move.by, move.who, move.verdict) for move in champion(store).history] == [("gate", "", PROMOTE)] * 2


def test_a_person_promotes_what_the_gate_holds_and_it_is_recorded(store: Store) -> None:
    first, held = push(store, 60), make(store, 61, "HOLD").id
    promotion.by_person(store, NAME, champion(store), held, "ada", "better on our own images")
    assert (champion(store).version, champion(store).previous) == (held, first)
    move = champion(store).history[-1]
    assert (move.by, move.who, move.reason, move.verdict) == ("person", "ada", "better on our own images", None)


def test_a_person_promotes_a_first_champion(store: Store) -> None:
    held = make(store, 61, "HOLD").id
    promotion.by_person(store, NAME, None, held, "ada", "")
    assert (champion(store).version, champion(store).previous) == (held, None)


def test_a_person_cannot_promote_what_the_gate_rejects(store: Store) -> None:
    push(store, 60)
    rejected = make(store, 40, "REJECT").id
    with pytest.raises(InputError) as raised:
        promotion.by_person(store, NAME, champion(store), rejected, "ada", "")
    assert str(raised.value) == (
        f"version {rejected} of {NAME}: expected one that the gate does not reject. It did: so it is: REJECT.\n"
        "Push a better model."
    )


def test_the_gates_last_word_counts(store: Store) -> None:
    """A push that was rejected, and let through when it was repeated against another champion."""
    rejected = make(store, 40, "REJECT").id
    promotion.by_gate(store, NAME, None, rejected, PROMOTE)
    push(store, 60)
    promotion.by_person(store, NAME, champion(store), rejected, "ada", "")
    assert champion(store).version == rejected


def test_the_champion_is_not_promoted_once_more(store: Store) -> None:
    first = push(store, 60)
    with pytest.raises(InputError) as raised:
        promotion.by_person(store, NAME, champion(store), first, "ada", "")
    assert str(raised.value) == (
        f"version {first} of {NAME}: expected another than the champion.\nNothing is to be done."
    )


def test_a_version_that_is_not_stored_is_refused_with_those_that_are(store: Store) -> None:
    first = push(store, 60)
    with pytest.raises(InputError) as raised:
        promotion.by_person(store, NAME, champion(store), "0009-00000000", "ada", "")
    assert str(raised.value) == (
        f"version 0009-00000000 of {NAME}: expected one that is stored: {first}.\nferflow models list"
    )


def test_going_back_twice_returns_to_the_same_place(store: Store) -> None:
    first, second = push(store, 60), push(store, 70)
    promotion.back(store, NAME, champion(store), "ada", "it calls everyone happy")
    assert (champion(store).version, champion(store).previous) == (first, second)
    promotion.back(store, NAME, champion(store), "ada", "it does not")
    assert (champion(store).version, champion(store).previous) == (second, first)
    assert [(move.by, move.who, move.reason) for move in champion(store).history[2:]] == [
        ("rollback", "ada", "it calls everyone happy"),
        ("rollback", "ada", "it does not"),
    ]


def test_a_first_champion_has_nowhere_to_go_back_to(store: Store) -> None:
    for found in (store.champion(NAME), promotion.by_gate(store, NAME, None, make(store, 60).id, PROMOTE)):
        with pytest.raises(InputError) as raised:
            promotion.back(store, NAME, found, "ada", "")
        assert str(raised.value) == (
            f"champion of {NAME}: expected one that followed another, found none.\nferflow models list"
        )


def test_a_push_that_is_repeated_does_not_undo_a_rollback(store: Store) -> None:
    first, second = push(store, 60), push(store, 70)
    promotion.back(store, NAME, champion(store), "ada", "")
    assert push(store, 70) == second
    assert champion(store).version == first
    said = promotion.barred(champion(store), second, PROMOTE)
    assert said.decision == "HOLD"
    assert said.reasons == (
        f"was champion before, and only a person makes it champion again: ferflow models promote {second}",
        "so it is: PROMOTE",
    )
    promotion.by_person(store, NAME, champion(store), second, "ada", "")
    assert champion(store).version == second


def test_a_push_that_is_repeated_does_not_undo_a_better_model(store: Store) -> None:
    push(store, 60)
    second = push(store, 70)
    push(store, 60)
    assert champion(store).version == second


def test_who_looked_at_another_champion_is_told(store: Store) -> None:
    first, second = push(store, 60), push(store, 70)
    stale = champion(store)
    promotion.back(store, NAME, stale, "ada", "")
    third = make(store, 80, "HOLD").id
    moves: list[Callable[[], object]] = [
        lambda: promotion.back(store, NAME, stale, "bob", ""),
        lambda: promotion.by_person(store, NAME, stale, third, "bob", ""),
        lambda: promotion.by_gate(store, NAME, stale, third, PROMOTE),
    ]
    for move in moves:
        with pytest.raises(TemporaryError) as raised:
            move()
        assert str(raised.value) == (
            f"champion of {NAME}: expected {second}, found {first}: another was faster.\n"
            "Run the same command again: it looks at the new champion."
        )
    assert champion(store).version == first


def test_a_history_from_before_persons_is_the_gates() -> None:
    old = {"version": "0001-1a2b3c4d", "previous": None, "when": "2026-01-02T03:04:05Z"}
    given = {"decision": "PROMOTE", "reasons": [], "against": "majority class", "alpha": 0.05, "paired": None}
    record = {"version": "0001-1a2b3c4d", "previous": None, "history": [{**old, "verdict": given}]}
    assert Champion.model_validate(record).history[0].by == "gate"

"""One drift, one proposal, one submission."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.fer.errors import InputError, TemporaryError
from pipeline.monitor import proposal
from pipeline.monitor.judged import Finding, Judged
from pipeline.monitor.proposal import Proposal, Proposals, propose, submit_once
from pipeline.monitor.sample import Kind

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
BOTH: tuple[Kind, ...] = ("inputs", "predictions")


def judged(*kinds: Kind, version: str = "0001-1a2b3c4d") -> Judged:
    figures: dict[Kind, str] = {"inputs": "brightness", "predictions": "entropy"}
    findings = tuple(
        Finding(figure=figure, kind=kind, distance=0.5 if kind in kinds else 0.0, limit=0.1, reference="1", window="2")
        for kind, figure in figures.items()
    )
    return Judged(version=version, champion=True, observed=9, window=9, first=NOON, last=NOON, findings=findings)


def made(folder: Path, found: Judged, when: datetime = NOON, model: str = "fer") -> Proposal:
    return propose(folder, model, found, "ferflow run", when, WEEK)


def known(folder: Path) -> tuple[Proposal, ...]:
    return Proposals.model_validate_json((folder / proposal.NAME).read_bytes()).proposals


def test_the_same_drift_in_the_cool_down_is_the_same_proposal(tmp_path: Path) -> None:
    first = made(tmp_path, judged("inputs"))
    later = NOON + WEEK - timedelta(seconds=1)
    again = made(tmp_path, judged("inputs"), later)
    assert (again.when, again.seen, again.alarms) == (first.when, later, 2)
    assert known(tmp_path) == (again,)


@pytest.mark.parametrize(
    ("found", "when", "model"),
    [
        (judged("inputs"), NOON + WEEK, "fer"),
        (judged("inputs", version="0002-1a2b3c4d"), NOON, "fer"),
        (judged("predictions"), NOON, "fer"),
        (judged(*BOTH), NOON, "fer"),
        (judged("inputs"), NOON, "another"),
    ],
    ids=["cooled down", "another version", "another kind", "one kind more", "another model"],
)
def test_anything_else_is_another(tmp_path: Path, found: Judged, when: datetime, model: str) -> None:
    made(tmp_path, judged("inputs"))
    made(tmp_path, found, when, model)
    assert [one.alarms for one in known(tmp_path)] == [1, 1]


def test_less_drift_than_was_proposed_for_is_no_other(tmp_path: Path) -> None:
    made(tmp_path, judged(*BOTH))
    assert made(tmp_path, judged("predictions"), NOON + timedelta(hours=1)).alarms == 2


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposal, "KEPT", 3)
    for week in range(5):
        made(tmp_path, judged("inputs"), NOON + week * WEEK)
    assert [one.when for one in known(tmp_path)] == [NOON + week * WEEK for week in (2, 3, 4)]


def test_it_is_submitted_once(tmp_path: Path) -> None:
    calls: list[int] = []
    mine = made(tmp_path, judged("inputs"))
    assert submit_once(tmp_path, mine, NOON, lambda: calls.append(1))
    again = made(tmp_path, judged("inputs"), NOON + timedelta(hours=1))
    assert not submit_once(tmp_path, again, NOON, lambda: calls.append(2))
    assert calls == [1]
    assert known(tmp_path)[0].submitted == NOON


def test_where_nothing_was_started_the_next_alarm_tries_again(tmp_path: Path) -> None:
    def refuse() -> None:
        raise TemporaryError("the cluster is away")

    mine = made(tmp_path, judged("inputs"))
    with pytest.raises(TemporaryError):
        submit_once(tmp_path, mine, NOON, refuse)
    assert submit_once(tmp_path, mine, NOON, lambda: None)


def test_what_was_killed_while_submitting_is_not_submitted_twice(tmp_path: Path) -> None:
    class KilledError(BaseException):
        pass

    def die() -> None:
        raise KilledError

    mine = made(tmp_path, judged("inputs"))
    with pytest.raises(KilledError):
        submit_once(tmp_path, mine, NOON, die)
    assert not submit_once(tmp_path, mine, NOON, lambda: pytest.fail("twice"))


def test_of_many_that_look_at_once_one_submits(tmp_path: Path) -> None:
    calls: list[int] = []

    def look() -> None:
        submit_once(tmp_path, made(tmp_path, judged("inputs")), NOON, lambda: calls.append(1))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]
    assert [one.alarms for one in known(tmp_path)] == [8]


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / proposal.NAME).write_text('{"proposals": 3}')
    with pytest.raises(InputError, match="expected what ferflow monitor writes, received: proposals: "):
        made(tmp_path, judged("inputs"))
    assert (tmp_path / proposal.NAME).read_text() == '{"proposals": 3}'

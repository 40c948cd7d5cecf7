"""However the schedules on a server came about, and wherever an `apply` dies, the next one leaves what is wanted."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.cluster.reconcile import Schedule, Step, differences, next_step

OLD, NEW, NEWER = {"cron": "old"}, {"cron": "new"}, {"cron": "newer"}


def done(found: Sequence[Schedule], step: Step, content: dict[str, str]) -> list[Schedule]:
    """The schedules on the server after a step."""
    match step.verb:
        case "create":
            created = max((schedule.created for schedule in found), default=0) + 1
            return [*found, Schedule(f"made-{created}", content, step.active, step.meant_active, created)]
        case "delete":
            return [schedule for schedule in found if schedule is not step.schedule]
    active = step.verb == "enable"
    return [replace(schedule, active=active) if schedule is step.schedule else schedule for schedule in found]


def applied(found: Sequence[Schedule], content: dict[str, str], steps: int = 100) -> list[Schedule]:
    """What so many steps of an `apply` leave; there are never more active than there were, or one."""
    limit = max(1, sum(schedule.active for schedule in found))
    now = list(found)
    for _ in range(steps):
        step = next_step(now, content)
        if step is None:
            break
        now = done(now, step, content)
        assert sum(schedule.active for schedule in now) <= limit
        limit = max(1, sum(schedule.active for schedule in now))
    return now


def state(found: Sequence[Schedule]) -> list[tuple[object, bool]]:
    return [(schedule.content, schedule.active) for schedule in found]


def test_the_first_one() -> None:
    assert state(applied([], NEW)) == [(NEW, True)]


def test_nothing_to_do() -> None:
    assert next_step(applied([], NEW), NEW) is None


def test_a_new_one_replaces_the_old_one() -> None:
    steps = []
    found = applied([], OLD)
    while step := next_step(found, NEW):
        steps.append((step.verb, step.schedule.id if step.schedule else ""))
        found = done(found, step, NEW)
    assert steps == [("create", ""), ("disable", "made-1"), ("enable", "made-2"), ("delete", "made-1")]


def test_what_was_paused_stays_paused() -> None:
    paused = [replace(schedule, active=False) for schedule in applied([], OLD)]
    assert next_step(paused, OLD) is None
    assert state(applied(paused, NEW)) == [(NEW, False)]


def test_wherever_an_apply_dies_the_next_one_ends_it() -> None:
    """Also when what is wanted has changed meanwhile, or has been taken back."""
    for paused in (False, True):
        before = [replace(schedule, active=not paused) for schedule in applied([], OLD)]
        for survived in range(5):
            for wanted in (NEW, NEWER, OLD):
                left = applied(before, NEW, steps=survived)
                assert state(applied(left, wanted)) == [(wanted, not paused)]


schedules = st.lists(
    st.builds(
        Schedule,
        id=st.uuids().map(str),
        content=st.sampled_from([OLD, NEW, NEWER]),
        active=st.booleans(),
        meant_active=st.booleans(),
        created=st.integers(1, 9),
    ),
    max_size=5,
)


@given(schedules, st.integers(0, 12))
def test_any_leftovers_end_in_one(found: list[Schedule], survived: int) -> None:
    """One that is active stays so: at least that much is known of what somebody meant."""
    (left,) = applied(applied(found, NEWER, steps=survived), NEW)
    assert left.content == NEW
    assert left.active or not any(schedule.active for schedule in found)


def test_what_is_left_to_the_server_is_no_difference() -> None:
    found = {"cron": "old", "service account": "default", "training.seed": 1}
    assert differences(found, {"cron": "new", "service account": None}) == {
        "cron": ("old", "new"),
        "training.seed": (1, None),
    }

"""From the schedules that a server has to the one that is wanted: one step at a time, each decided afresh.

The API cannot change a schedule. So the new one is made paused, the old one paused, the new one resumed, the old one
deleted. Since the next step is read from what is there, it does not matter after which of them an earlier `apply` died;
and since nothing is resumed before all others are paused, there are never two active.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Content = Mapping[str, Any]
"""What a schedule does: its cron, its pipeline's version, its parameters and the like, each by a name for people."""


@dataclass(frozen=True)
class Schedule:
    """A schedule on the server."""

    id: str
    content: Content
    active: bool
    meant_active: bool
    """whether the `apply` that made it wanted it active in the end"""
    created: Any
    """sorts by time"""


@dataclass(frozen=True)
class Step:
    """A request to the server."""

    verb: Literal["create", "disable", "enable", "delete"]
    schedule: Schedule | None = None
    active: bool = False
    """of `create`"""
    meant_active: bool = False
    """of `create`"""


def next_step(found: Sequence[Schedule], wanted: Content) -> Step | None:
    """What to do next so that one schedule with the content `wanted` is left; none where that is so.

    It will be active as the one before it was: somebody's `pause` lasts. Where an earlier `apply` did not finish, there
    are more than one, and the newest says what was meant.
    """
    if not found:
        return Step("create", active=True, meant_active=True)
    newest = max(found, key=lambda schedule: schedule.created)
    active = any(schedule.active for schedule in found) or (len(found) > 1 and newest.meant_active)
    # One that is paused among others is kept only if it says what is meant: else that is lost where this `apply` dies.
    telling = [
        schedule
        for schedule in found
        if len(found) == 1 or schedule.active or (schedule is newest and schedule.meant_active == active)
    ]
    right = [schedule for schedule in telling if not differences(schedule.content, wanted)]
    kept = max(right, key=lambda schedule: (schedule.active, schedule.created), default=None)
    if kept is None:
        return Step("create", meant_active=active)
    others = [schedule for schedule in found if schedule is not kept]
    for schedule in others:
        if schedule.active:
            return Step("disable", schedule)
    if active and not kept.active:
        return Step("enable", kept)
    return Step("delete", others[0]) if others else None


def differences(found: Content, wanted: Content) -> dict[str, tuple[Any, Any]]:
    """Name, found and wanted value of what differs; what `wanted` has as None is left to the server."""
    names = sorted(found.keys() | wanted.keys())
    pairs = {name: (found.get(name), wanted.get(name)) for name in names if wanted.get(name, "") is not None}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

"""`ferflow schedule`: the jobs' schedules on the cluster, applied from params.yaml, listed, paused and so on."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from components.fer.errors import InputError, TemporaryError
from pipeline import jobs
from pipeline.cluster import plan, schedule_section
from pipeline.cluster.columns import aligned
from pipeline.cluster.connection import PAGE, Cluster, check_version, connect
from pipeline.cluster.package import SCHEDULE, package
from pipeline.cluster.reconcile import Content, Schedule, Step, differences, next_step
from pipeline.cluster.recurring import active, body, create, entries, schedules, take, version_name, wanted
from pipeline.cluster.request import request
from pipeline.cluster.settings import Settings
from pipeline.cluster.upload import experiment, upload

STEPS = 100
"""enough for any leftovers; too few only where two `apply` undo each other's work"""


def apply(recipe: str | None, settings: Settings) -> None:
    """Make the job's schedule on the cluster what its params.yaml says. Raises `FerflowError`."""
    chosen = jobs.job(recipe)[1]
    section, name = schedule_section.required(chosen), _name(recipe)
    asked = request(recipe, settings, {})
    ready = package(asked, {f"{SCHEDULE}data_dvc": section.data, f"{SCHEDULE}always": section.always})
    cluster = connect(settings)
    for warning in filter(None, (check_version(cluster), plan.faces_leave(settings, asked))):
        _say(f"{warning}\n")
    goal, found = wanted(section.cron, ready, cluster), schedules(cluster, name)
    if next_step(found, goal) is None:
        return _say(f"schedule {name}: nothing to do. It is {_state(found, recipe)}")
    _say_differences(name, found, goal)
    make = partial(body, name, section.cron, ready, upload(cluster, ready), experiment(cluster, name), cluster)
    for _ in range(STEPS):
        step = next_step(found, goal)
        if step is None:
            return _say(f"schedule {name}: applied. It is {_state(found, recipe)}")
        _say(f"    {create(cluster, make(step)) if step.verb == 'create' else take(cluster, step)}")
        found = schedules(cluster, name)
    raise TemporaryError(
        f"schedule {name}: expected nobody else to change it now, found other changes after {STEPS} steps.",
        f"ferflow schedule apply{_option(recipe)}",
    )


def show(settings: Settings) -> None:
    """Print the schedules of all jobs: cron, state, version and last run."""
    cluster = connect(settings)
    found = [entry for entry in entries(cluster) if entry.display_name.startswith(jobs.title(""))]
    if not found:
        return _say("No schedules. One is made from a section schedule in params.yaml: ferflow schedule apply")
    runs = _newest_runs(cluster)
    rows = [("schedule", "cron", "state", "version", "last run")]
    for entry in sorted(found, key=lambda entry: str(entry.display_name)):
        cron = entry.trigger.cron_schedule.cron if entry.trigger and entry.trigger.cron_schedule else "none"
        last = next((run for run in runs if run.recurring_run_id == entry.recurring_run_id), None)
        told = f"{last.created_at:%Y-%m-%d %H:%M} {last.state}" if last else "none"
        state = "active" if active(entry) else "paused"
        rows.append((entry.display_name, cron, state, version_name(cluster, entry), told))
    return _say(aligned(rows))


def pause(recipe: str | None, settings: Settings) -> None:
    """Let the job's schedule start no more runs. Raises `InputError` where there is none."""
    cluster = connect(settings)
    _take(cluster, recipe, [Step("disable", schedule) for schedule in _found(cluster, recipe) if schedule.active])


def resume(recipe: str | None, settings: Settings) -> None:
    """Let the job's schedule start runs again. Raises `InputError` where there is none, or more than one."""
    cluster = connect(settings)
    found = _found(cluster, recipe)
    if len(found) > 1:
        raise InputError(
            f"schedule {_name(recipe)}: expected one, found {len(found)}: an apply was cut short.",
            f"ferflow schedule apply{_option(recipe)}",
        )
    _take(cluster, recipe, [Step("enable", schedule) for schedule in found if not schedule.active])


def delete(recipe: str | None, settings: Settings) -> None:
    """Remove the job's schedule; its runs stay. Raises `InputError` where there is none."""
    cluster = connect(settings)
    _take(cluster, recipe, [Step("delete", schedule) for schedule in _found(cluster, recipe)])


def _found(cluster: Cluster, recipe: str | None) -> list[Schedule]:
    found = schedules(cluster, _name(recipe))
    if not found:
        mend = f"ferflow schedule apply{_option(recipe)}"
        raise InputError(f"schedule {_name(recipe)}: expected one on the cluster, found none.", mend)
    return found


def _take(cluster: Cluster, recipe: str | None, steps: Sequence[Step]) -> None:
    for step in steps:
        _say(f"schedule {_name(recipe)}: {take(cluster, step)}")
    if not steps:
        _say(f"schedule {_name(recipe)}: nothing to do")


def _say_differences(name: str, found: Sequence[Schedule], goal: Content) -> None:
    """What the newest schedule of this name does, against what it shall do; all of that where there is none."""
    _say(f"schedule {name}: {'to change' if found else 'new'}")
    now = max(found, key=lambda schedule: schedule.created).content if found else {}
    for key, (before, after) in differences(now, goal).items():
        _say(f"    {key}: {before!r} -> {after!r}" if found else f"    {key}: {after!r}")


def _newest_runs(cluster: Cluster) -> list[Any]:
    request = partial(cluster.runs.run_service_list_runs, namespace=cluster.namespace, page_size=PAGE)
    return cluster.ask("list runs", partial(request, sort_by="created_at desc")).runs or []


def _name(recipe: str | None) -> str:
    return jobs.title(jobs.job(recipe)[0])


def _state(found: Sequence[Schedule], recipe: str | None) -> str:
    return "active." if found[0].active else f"paused; to resume it: ferflow schedule resume{_option(recipe)}"


def _option(recipe: str | None) -> str:
    return f" --recipe {recipe}" if recipe else ""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

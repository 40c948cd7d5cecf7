"""What a submission will do, for the person at the terminal, before it is done."""

from collections.abc import Mapping

from pipeline import placement
from pipeline.cluster.columns import aligned
from pipeline.cluster.package import Package
from pipeline.cluster.request import Request
from pipeline.cluster.run_state import task_names
from pipeline.cluster.settings import Settings


def described(
    settings: Settings, request: Request, package: Package, run: str, md5: str, *, new: bool, cached: Mapping[str, str]
) -> str:
    """The run: where, what and with which values; its tasks, where they go and what the cache probably has.

    `md5` is the data's, `new` says that the version is yet to be uploaded, `cached` has an earlier run by a task's key.
    """
    subjects = [
        ("run", f"{run} on {settings.host}, namespace {settings.namespace}"),
        ("version", f"{package.version}, {'new' if new else 'there already'}"),
        ("data", f"{md5} on {request.url}"),
        *(("changed", f"{name}: {before!r} -> {after!r}") for name, (before, after) in request.changed.items()),
    ]
    return f"{aligned(subjects)}\n\n{aligned(_tasks(package, cached))}\n"


def faces_leave(settings: Settings, request: Request) -> str:
    """A warning where a run's report shows images of the data set, else nothing."""
    if request.values.get("evaluate__pictures") != "all":
        return ""
    return (
        "evaluate.pictures=all: the report shows images of the data set, and goes to "
        f"{settings.pipeline_root or 'the bucket of the cluster'}, for whoever sees the run. "
        "Without them: evaluate.pictures: standard in params.yaml (ferflow submit: --set evaluate.pictures=standard)"
    )


def _tasks(package: Package, cached: Mapping[str, str]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("task", "pool", "GPUs", "image", "cache")]
    places = placement.Table.read().stages
    tasks = {task.name: task for task in package.tasks}
    for key, name in task_names(package.pipeline).items():
        task = tasks[name]
        place = places[task.component]
        if not task.spec.caching_options.enable_cache:
            cache = "never used"
        else:
            cache = f"probably, from {cached[key]}" if key in cached else ""
        rows.append((name, place.pool, str(place.accelerators), task.container.image.partition("@")[2][:19], cache))
    return rows

"""Which tasks of a run the server will probably take from its cache, by what it has run before.

The server decides by a key of image, argv, parameter values and input artifacts. Where an earlier run of the same
version succeeded, image and argv are the same; so a task's result is there if its parameters had the same values, and
all that it takes artifacts from comes from the cache too. The server may have emptied its cache since: probably.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.cluster.run_state import task_names
from pipeline.ir import Document


def probably_cached(pipeline: Document, values: Mapping[str, Any], earlier: Iterable[Any]) -> dict[str, str]:
    """Name of the earlier run that has a task's result, by the task's key.

    `earlier` are V2beta1Runs of the same pipeline version that succeeded.
    """
    found: dict[str, str] = {}
    for run in earlier:
        before = (run.runtime_config.parameters if run.runtime_config else None) or {}
        for key in _same(pipeline, values, before):
            found.setdefault(key, str(run.display_name))
    return found


def _same(pipeline: Document, values: Mapping[str, Any], before: Mapping[str, Any]) -> set[str]:
    """Keys of the tasks that are the same with `values` as they were with those of `before`."""
    same: set[str] = set()
    tasks = pipeline["root"]["dag"]["tasks"]
    for key in task_names(pipeline):
        task = tasks[key]
        inputs = task.get("inputs", {}).get("parameters", {}).values()
        names = {source["componentInputParameter"] for source in inputs if "componentInputParameter" in source}
        unchanged = all(name in before and before[name] == values[name] for name in names)
        sources = set(task.get("dependentTasks", []))
        if task.get("cachingOptions", {}).get("enableCache") and unchanged and sources <= same:
            same.add(key)
    return same

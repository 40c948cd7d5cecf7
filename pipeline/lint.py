"""Rules for compiled graphs: what KFP's compiler takes without a word and a cluster refuses, or worse, runs.

Both YAML documents are read strictly (pipeline/ir.py), then each rule looks at each task. To add a rule, write a
function from a task to its findings below, and a graph that breaks it in tests/pipeline/test_lint.py.
"""

import contextlib
import io
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from components.fer import stage
from components.fer.errors import InputError
from pipeline import images, placement
from pipeline.cluster import schedule_section
from pipeline.desk import PLACEHOLDER, ROOT, own
from pipeline.ir import Document, Task, documents, tasks
from pipeline.jobs import Job, jobs
from pipeline.parameters import STAGES

OUTSIDE = {"push-model", "resolve"}
"""Components that read or change what is outside of the run: from the cache they would do nothing or bring old news."""

ENVIRONMENT = {"LOG_LEVEL"}
"""What a stage takes from its environment beside credentials."""

CONFIGS = {config.__module__.removesuffix(".config"): config for config in STAGES}


@dataclass(frozen=True)
class Finding:
    """What a rule does not accept."""

    where: str
    expected: str
    received: str
    mend: str
    severity: Literal["error", "warning"] = "error"
    rule: str = ""


Rule = Callable[[Task], Iterator[Finding]]
JobRule = Callable[[Job], Iterator[Finding]]
RULES: list[Rule] = []
JOB_RULES: list[JobRule] = []


def rule(function: Rule) -> Rule:
    """Register a rule; its name is what `ferflow lint` prints."""
    RULES.append(function)
    return function


def job_rule(function: JobRule) -> JobRule:
    """Register a rule for what a job says beside its graph."""
    JOB_RULES.append(function)
    return function


@job_rule
def bad_cron(job: Job) -> Iterator[Finding]:
    """Kubeflow's cron has six fields, seconds first; one of five is refused, or means another time."""
    try:
        schedule_section.section(job)
    except InputError as error:
        yield Finding("schedule", "a section that Kubeflow can keep", str(error), "docs/cluster.md")


@rule
def image_not_by_digest(task: Task) -> Iterator[Finding]:
    """The cache's key holds the image's name alone: behind a tag, new code would get the old code's results.

    A warning as long as infra/images.lock.json is absent, for nothing was pushed that could have a digest; an error
    from then on.
    """
    if not re.fullmatch(r"[^@\s]+@sha256:[0-9a-f]{64}", task.container.image):
        mend = "Such a graph can be read and tested, not submitted: the images have no digest before they are pushed."
        severity: Literal["error", "warning"] = "error" if images.LOCK.is_file() else "warning"
        yield Finding("image", "NAME@sha256:DIGEST", task.container.image, mend, severity)


@rule
def configuration_by_environment(task: Task) -> Iterator[Finding]:
    """The cache's key does not hold the environment, and DVC would not have it. Secrets are credentials: accepted."""
    given = [variable.name for variable in task.container.env]
    given += [entry.name for entry in task.kubernetes.field_path_as_env]
    given += [pair.env_var for entry in task.kubernetes.config_map_as_env for pair in entry.key_to_env]
    for name in given:
        if name not in ENVIRONMENT:
            yield Finding("environment", "configuration by argv", name, "Make it a field of the stage's Config.")


@rule
def side_effect_cached(task: Task) -> Iterator[Finding]:
    """A task that deals with the outside has to run every time."""
    if task.component in OUTSIDE and task.spec.caching_options.enable_cache:
        yield Finding("cache", "off", "on", "task.set_caching_options(False) in pipeline/graphs.py")


@rule
def gpu_without_pool(task: Task) -> Iterator[Finding]:
    """The toleration lets the pod onto a GPU node, the selector keeps it off nodes of another kind: it needs both."""
    if not task.container.resources.HasField("accelerator"):
        return
    if not task.kubernetes.node_selector.labels:
        yield Finding("node selector", "that of a GPU pool", "none", "ferflow compile")
    taints = [pool.taint for pool in ([task.pool] if task.pool else task.pools.values()) if pool and pool.taint]
    if not any(_tolerates(toleration, taint) for toleration in task.kubernetes.tolerations for taint in taints):
        wanted = " or ".join(sorted({f"{taint.key}={taint.value}:{taint.effect}" for taint in taints}))
        received = ", ".join(f"{entry.key}={entry.value}:{entry.effect}" for entry in task.kubernetes.tolerations)
        yield Finding("tolerations", wanted or "a pool with a taint", received or "none", "ferflow compile")


def _tolerates(toleration: Any, taint: placement.Taint) -> bool:
    matches = toleration.operator == "Exists" or toleration.value == taint.value
    return toleration.key in ("", taint.key) and toleration.effect in ("", taint.effect) and matches


@rule
def unknown_accelerator(task: Task) -> Iterator[Finding]:
    """The type becomes the name of a Kubernetes resource: a pod that asks for a made-up one waits for ever."""
    accelerator = task.container.resources.accelerator
    received = accelerator.resource_type or accelerator.type
    if task.container.resources.HasField("accelerator") and received != placement.ACCELERATOR:
        yield Finding("accelerator", placement.ACCELERATOR, received or "no type", "ferflow compile")


@rule
def request_over_limit(task: Task) -> Iterator[Finding]:
    """Kubernetes refuses the pod when the run is already on its way."""
    resources = task.container.resources
    for name, request, limit in (
        ("cpu", resources.resource_cpu_request, resources.resource_cpu_limit),
        ("memory", resources.resource_memory_request, resources.resource_memory_limit),
    ):
        try:
            if request and limit and placement.quantity(request) > placement.quantity(limit):
                yield Finding(name, f"a request of at most {limit}", request, "infra/pools.yaml, then ferflow compile")
        except ValueError:
            yield Finding(name, "quantities such as 500m, 2 or 4Gi", f"{request}, {limit}", "ferflow compile")


@rule
def retry_window(task: Task) -> Iterator[Finding]:
    """The window counts from the first attempt's start: an attempt that fails behind its end is the last."""
    policy, timeout = task.spec.retry_policy, task.kubernetes.active_deadline_seconds
    needed, received = timeout * (policy.max_retry_count + 1), policy.backoff_max_duration.seconds
    if policy.max_retry_count and not timeout:
        yield Finding("timeout", "one, since the task is retried", "none", "ferflow compile")
    elif policy.max_retry_count and received < needed:
        sum_ = f"{needed} s or more ({timeout} s x {policy.max_retry_count + 1} attempts)"
        yield Finding("retry window", sum_, f"{received} s", "ferflow compile")


@rule
def retry_in_loop(task: Task) -> Iterator[Finding]:
    """Kubeflow drops the retries of a task inside dsl.ParallelFor."""
    if task.in_loop and task.spec.retry_policy.max_retry_count:
        received = f"{task.spec.retry_policy.max_retry_count} inside dsl.ParallelFor"
        yield Finding("retries", "none in a loop", received, "Write the tasks out one by one in pipeline/graphs.py.")


@rule
def unknown_pool(task: Task) -> Iterator[Finding]:
    """A selector that no pool has keeps the pod waiting for ever."""
    labels = dict(task.kubernetes.node_selector.labels)
    if labels and not task.pool:
        known = ", ".join(_pairs(pool.selector) for pool in task.pools.values())
        yield Finding("node selector", f"one of {known}", _pairs(labels), "infra/pools.yaml, then ferflow compile")


def _pairs(labels: Mapping[str, str]) -> str:
    return "+".join(f"{key}={value}" for key, value in sorted(labels.items()))


@rule
def illegal_name(task: Task) -> Iterator[Finding]:
    """Labels, volumes and mount paths that Kubernetes refuses."""
    config, mend = task.kubernetes, "Names are letters, digits, - and (labels) _ and ., 63 at most; paths absolute."
    for labels in (config.pod_metadata.labels, config.node_selector.labels):
        for key, value in labels.items():
            if not (placement.LABEL_KEY.fullmatch(key) and (not value or placement.LABEL_NAME.fullmatch(value))):
                yield Finding("label", "[domain/]name=value", f"{key}={value}", mend)
    mounts = [*config.empty_dir_mounts, *config.generic_ephemeral_volume]
    for mount in mounts:
        if not placement.DNS_LABEL.fullmatch(mount.volume_name):
            yield Finding("volume", "a name in small letters", mount.volume_name, mend)
    for mount in [*mounts, *config.pvc_mount, *config.secret_as_volume, *config.config_map_as_volume]:
        if not mount.mount_path.startswith("/") or ":" in mount.mount_path:
            yield Finding("mount path", "an absolute path without a colon", mount.mount_path, mend)


@rule
def argv_refused(task: Task) -> Iterator[Finding]:
    """The component's own parser reads the argv that the pipeline's default values give."""
    module = next(iter(task.container.command[2:]), "")
    words = [_filled(word, task) for word in own(task.container.args)]
    if module not in CONFIGS:
        yield Finding("command", f"python -m one of {', '.join(CONFIGS)}", module or "none", "pipeline/parameters.py")
    elif None not in words:  # else only a run knows them
        printed = io.StringIO()
        try:
            with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
                stage.parse(CONFIGS[module], [str(word) for word in words])
        except SystemExit:
            told = " ".join(re.sub(r"[^\x20-\x7e]+", " ", printed.getvalue()).split())
            mend = f"params.yaml or pipeline/graphs.py; python -m {module} --help"
            yield Finding("argv", f"what {task.component} takes", told, mend)


def _filled(word: str, task: Task) -> str | None:
    """An argument with values for its placeholders, as Kubeflow writes them; None where only a run knows one."""
    for found in PLACEHOLDER.finditer(word):
        if found["kind"] == "artifacts" or found["side"] == "outputs":
            value = f"/tmp/{found['side']}/{found['name']}"  # noqa: S108
        elif found["name"] in task.values:
            given = task.values[found["name"]]
            value = given if isinstance(given, str) else json.dumps(given)
        else:
            return None
        word = word.replace(found[0], value)
    return word


def findings(pipeline: Document, platform: Document, table: placement.Table) -> list[Finding]:
    """All that the rules find in a compiled pipeline."""
    read = list(tasks(pipeline, platform, table.pools))
    return [
        replace(finding, where=f"{task.name}: {finding.where}", rule=name(check))
        for check in RULES
        for task in read
        for finding in check(task)
    ]


def job_findings(job: Job) -> list[Finding]:
    """All that the rules find in what a job says beside its graph."""
    return [replace(finding, rule=name(check)) for check in JOB_RULES for finding in check(job)]


def name(check: Rule | JobRule) -> str:
    """What a rule is called in print."""
    return check.__name__.replace("_", "-")


def main() -> None:
    """Look at the compiled form of every job; print all errors, and one warning of each kind.

    Raises `InputError` where there is an error.
    """
    table = placement.Table.read()
    errors, warnings = 0, defaultdict[str, list[str]](list)
    for job in jobs().values():
        graph = job.pipeline.relative_to(ROOT)
        found = [*job_findings(job), *findings(*documents(_read(job.pipeline)), table)]
        for finding in (entry for entry in found if entry.severity == "warning"):
            warnings[finding.rule].append(_told(finding, f"{graph}: {finding.where}"))
        refused = [entry for entry in found if entry.severity == "error"]
        errors += len(refused)
        for (title, mend), group in groupby(refused, key=lambda entry: (entry.rule, entry.mend)):
            told = [_told(finding, finding.where) for finding in group]
            _say("\n    ".join([f"{graph}: error: {title}", *told, mend]))
    for title, all_told in warnings.items():
        more = f" (and {len(all_told) - 1:,} more like it)" if len(all_told) > 1 else ""
        _say(f"warning: {title}: {all_told[0]}{more}")
    _say(f"{len(RULES) + len(JOB_RULES)} rules: {errors} errors, {sum(map(len, warnings.values())):,} warnings")
    if errors:
        raise InputError(f"compiled graphs: expected no errors, found {errors} (above).")


def _told(finding: Finding, where: str) -> str:
    return f"{where}: expected {finding.expected}, received {finding.received}"


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError as error:
        raise InputError(f"compiled pipeline {path}: expected a file, found none.", "ferflow compile") from error


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")

"""Each rule finds the one thing that it is for, in a good graph changed in that one place, and nothing else."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp import compiler, dsl
from kfp.dsl.pipeline_context import Pipeline

from components.fer.errors import InputError
from components.validate.component import validate
from pipeline import images, ir, lint, placement
from pipeline.desk import ROOT
from pipeline.jobs import MAIN, Job, jobs

NAMES = {lint.name(check) for check in lint.RULES}
JOB_NAMES = {lint.name(check) for check in lint.JOB_RULES}
DIGEST = "sha256:" + 64 * "0"


class Graph:
    """A compiled graph to be spoilt."""

    def __init__(self, pipeline: ir.Document, platform: ir.Document) -> None:
        self.pipeline = pipeline
        self.platform = platform
        self.tasks: dict[str, Any] = pipeline["root"]["dag"]["tasks"]
        self.defaults: dict[str, Any] = pipeline["root"]["inputDefinitions"]["parameters"]

    def container(self, task: str) -> Any:
        return self.pipeline["deploymentSpec"]["executors"][f"exec-{task}"]["container"]

    def kubernetes(self, task: str) -> Any:
        return self.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"][f"exec-{task}"]


@pytest.fixture(scope="session")
def table() -> placement.Table:
    return placement.Table.read()


@pytest.fixture(scope="session")
def good() -> Graph:
    """The committed main job, with images by digest."""
    graph = Graph(*ir.documents(jobs()[MAIN].pipeline.read_text()))
    for executor in graph.pipeline["deploymentSpec"]["executors"].values():
        executor["container"]["image"] = f"registry.example/{executor['container']['image']}@{DIGEST}"
    return graph


@pytest.fixture
def graph(good: Graph) -> Graph:
    """A copy to be spoilt."""
    return Graph(*copy.deepcopy((good.pipeline, good.platform)))


def test_the_good_graph_has_no_findings(good: Graph, table: placement.Table) -> None:
    assert lint.findings(good.pipeline, good.platform, table) == []


def in_a_loop(graph: Graph) -> None:
    """Move train-hybrid into dsl.ParallelFor, as KFP's compiler writes it."""
    task = graph.tasks.pop("train-hybrid")
    asked = {entry["componentInputParameter"] for entry in task["inputs"]["parameters"].values()}
    definitions = {name: {"parameterType": graph.defaults[name]["parameterType"]} for name in asked}
    graph.pipeline["components"]["comp-for-loop-1"] = {
        "dag": {"tasks": {"train-hybrid": task}},
        "inputDefinitions": {"parameters": definitions},
    }
    graph.tasks["for-loop-1"] = {
        "componentRef": {"name": "comp-for-loop-1"},
        "inputs": {"parameters": {name: {"componentInputParameter": name} for name in asked}},
        "parameterIterator": {"itemInput": "item", "items": {"raw": "[1, 2]"}},
        "taskInfo": {"name": "for-loop-1"},
    }


def on(path: str, task: str, **changes: Any) -> Callable[[Graph], None]:
    """A change of keys of a task's container, of its resources, of its Kubernetes configuration, or of the task."""

    def change(graph: Graph) -> None:
        places: dict[str, Callable[[str], Any]] = {
            "container": graph.container,
            "resources": lambda name: graph.container(name)["resources"],
            "kubernetes": graph.kubernetes,
            "task": lambda name: graph.tasks[name],
            "retry": lambda name: graph.tasks[name]["retryPolicy"],
        }
        places[path](task).update(changes)

    return change


def default(name: str, value: Any) -> Callable[[Graph], None]:
    return lambda graph: graph.defaults[name].update(defaultValue=value)


SHM: dict[str, Any] = {"volumeName": "shm", "mountPath": "/dev/shm", "medium": "Memory"}
TAINT: dict[str, Any] = {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"}
GPU: dict[str, Any] = {"count": "1", "resourceCount": "1"}

FAULTS: list[tuple[str, str, Callable[[Graph], None]]] = [
    ("image-not-by-digest", "validate: image", on("container", "validate", image="ferflow-validate:0.1.0")),
    ("image-not-by-digest", "validate: image", on("container", "validate", image="ferflow-validate@sha256:0")),
    (
        "configuration-by-environment",
        "evaluate: environment",
        on("container", "evaluate", env=[{"name": "LOG_LEVEL", "value": "DEBUG"}, {"name": "SEED", "value": "1"}]),
    ),
    (
        "configuration-by-environment",
        "evaluate: environment",
        on("kubernetes", "evaluate", configMapAsEnv=[{"keyToEnv": [{"configMapKey": "seed", "envVar": "SEED"}]}]),
    ),
    ("side-effect-cached", "push-model: cache", on("task", "push-model", cachingOptions={"enableCache": True})),
    ("gpu-without-pool", "evaluate: node selector", on("kubernetes", "evaluate", nodeSelector={})),
    ("gpu-without-pool", "evaluate: tolerations", on("kubernetes", "evaluate", tolerations=[])),
    ("gpu-without-pool", "evaluate: tolerations", on("kubernetes", "evaluate", tolerations=[TAINT | {"key": "gpu"}])),
    (
        "gpu-without-pool",
        "evaluate: tolerations",
        on("kubernetes", "evaluate", tolerations=[TAINT | {"effect": "NoExecute"}]),
    ),
    (
        "unknown-accelerator",
        "evaluate: accelerator",
        on("resources", "evaluate", accelerator=GPU | {"type": "NVIDIA_TESLA_T4", "resourceType": "NVIDIA_TESLA_T4"}),
    ),
    ("unknown-accelerator", "evaluate: accelerator", on("resources", "evaluate", accelerator=GPU)),
    ("request-over-limit", "validate: cpu", on("resources", "validate", resourceCpuRequest="4500m")),
    ("request-over-limit", "validate: memory", on("resources", "validate", resourceMemoryLimit="2G")),
    ("request-over-limit", "validate: memory", on("resources", "validate", resourceMemoryLimit="2 Gi")),
    ("retry-window", "train-hybrid: retry window", on("retry", "train-hybrid", backoffMaxDuration="3600s")),
    ("retry-window", "train-hybrid: timeout", on("kubernetes", "train-hybrid", activeDeadlineSeconds="0")),
    ("retry-in-loop", "train-hybrid: retries", in_a_loop),
    (
        "unknown-pool",
        "validate: node selector",
        on("kubernetes", "validate", nodeSelector={"labels": {"ferflow/pool": "huge"}}),
    ),
    (
        "illegal-name",
        "validate: label",
        on("kubernetes", "validate", podMetadata={"labels": {"ferflow/component": "the first"}}),
    ),
    ("illegal-name", "validate: label", on("kubernetes", "validate", podMetadata={"labels": {"/stage": "validate"}})),
    (
        "illegal-name",
        "validate: volume",
        on("kubernetes", "validate", emptyDirMounts=[SHM | {"volumeName": "Shared_memory"}]),
    ),
    (
        "illegal-name",
        "validate: mount path",
        on("kubernetes", "validate", emptyDirMounts=[SHM | {"mountPath": "dev/shm"}]),
    ),
    ("argv-refused", "evaluate: argv", default("evaluate__resamples", 10.0)),
    ("argv-refused", "train-hybrid: argv", default("hybrid__branches", "TTT")),
    ("argv-refused", "validate: argv", on("container", "validate", args=["--path", "faces.csv"])),
    (
        "argv-refused",
        "validate: command",
        on("container", "validate", command=["python", "-m", "components.validation"]),
    ),
]


@pytest.mark.parametrize(("rule", "where", "spoil"), FAULTS)
def test_a_rule_finds_its_fault_alone(
    rule: str, where: str, spoil: Callable[[Graph], None], graph: Graph, table: placement.Table
) -> None:
    spoil(graph)
    found = lint.findings(graph.pipeline, graph.platform, table)
    assert [(finding.rule, finding.where) for finding in found] == [(rule, where)]
    assert all((found[0].expected, found[0].received, found[0].mend))


def test_a_loop_that_kubeflow_compiled(tmp_path: Path, table: placement.Table) -> None:
    def loop() -> None:
        with dsl.ParallelFor(["first.csv", "second.csv"]) as path:
            validate(
                path=path,
                md5="",
                ferplus="",
                expressions=7,
                near_correlation=0.95,
                split="official",
                test_share=0.3,
                split_seed=1,
            )
        placement.place(Pipeline.get_default_pipeline().tasks.values(), table, "loop")

    compiler.Compiler().compile(dsl.pipeline(name="loop")(loop), str(tmp_path / "loop.yaml"))
    found = lint.findings(*ir.documents((tmp_path / "loop.yaml").read_text()), table)
    assert [finding.rule for finding in found] == ["image-not-by-digest", "retry-in-loop"]


def test_every_rule_has_a_graph_that_breaks_it() -> None:
    assert {rule for rule, *_ in FAULTS} == NAMES


def test_every_rule_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "kubeflow.md").read_text().partition("## Lint")[2]
    assert set(re.findall(r"^\| ([a-z-]+) \|", page, re.MULTILINE)) - {"rule"} == NAMES | JOB_NAMES


def test_a_bad_cron(tmp_path: Path) -> None:
    job = Job("hybrid", tmp_path, tmp_path / "pipeline.yaml")
    schedule = "schedule: {cron: 0 3 * * 1, data: 'https://host/data.dvc'}\n"
    (tmp_path / "params.yaml").write_text(schedule)
    (found,) = lint.job_findings(job)
    assert (found.rule, found.where, found.severity) == ("bad-cron", "schedule", "error")
    assert "schedule: cron: expected six fields, seconds first: try '0 0 3 * * 1'" in found.received
    (tmp_path / "params.yaml").write_text(schedule.replace("0 3", "0 0 3"))
    assert lint.job_findings(job) == []


def test_the_arithmetic_of_the_retry_window_is_shown(graph: Graph, table: placement.Table) -> None:
    graph.tasks["train-hybrid"]["retryPolicy"]["backoffMaxDuration"] = "3600s"
    found = lint.findings(graph.pipeline, graph.platform, table)
    assert (found[0].expected, found[0].received) == ("43200 s or more (21600 s x 2 attempts)", "3600 s")


def test_the_parser_s_own_words_are_shown(graph: Graph, table: placement.Table) -> None:
    graph.defaults["hybrid__branches"]["defaultValue"] = "TTT"
    assert "FF" in lint.findings(graph.pipeline, graph.platform, table)[0].received


def test_a_value_that_only_a_run_knows_is_not_judged(graph: Graph, table: placement.Table) -> None:
    del graph.defaults["hybrid__branches"]["defaultValue"]
    assert not lint.findings(graph.pipeline, graph.platform, table)


@pytest.mark.parametrize("document", ["pipeline", "platform", "container", "kubernetes"])
def test_a_field_that_kubeflow_has_not_is_refused(document: str, graph: Graph, table: placement.Table) -> None:
    places = {
        "pipeline": graph.pipeline,
        "platform": graph.platform,
        "container": graph.container("validate"),
        "kubernetes": graph.kubernetes("validate"),
    }
    places[document]["madeUp"] = "1"
    with pytest.raises(InputError, match="madeUp"):
        lint.findings(graph.pipeline, graph.platform, table)


def test_a_pipeline_without_placement_is_refused(good: Graph) -> None:
    with pytest.raises(InputError, match="expected two YAML documents, found 1"):
        ir.documents("root: {}")


def test_images_without_digest_are_a_warning_until_some_are_pushed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the committed graphs."""
    monkeypatch.setattr(lint, "RULES", [lint.image_not_by_digest])
    monkeypatch.setattr(images, "LOCK", ROOT / "infra" / "no-such.lock.json")
    lint.main()
    printed = capsys.readouterr().out
    assert printed.count("warning: image-not-by-digest: pipeline/pipeline.yaml: ") == printed.count("warning:") == 1
    assert re.search(r" \(and \d+ more like it\)\n", printed)
    assert re.search(r"2 rules: 0 errors, [1-9]\d* warnings\n$", printed)
    monkeypatch.setattr(images, "LOCK", placement.POOLS)  # some file that is there
    with pytest.raises(InputError, match=r"expected no errors, found [1-9]\d* "):
        lint.main()

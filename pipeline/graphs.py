"""The graphs, each written once; pipeline.yaml (Kubeflow) and dvc.yaml (DVC) are generated from them.

hybrid      validate --> preprocess --+--> train-backbone-a --+
                                      |                       +--> train-hybrid --> evaluate --> push-model
                                      +--> train-backbone-b --+

single      validate --> preprocess --> train-backbone --> evaluate --> push-model

benchmark   validate --> preprocess --+--> train-backbone-X --> evaluate-X
                                      +--> train-backbone-Y --> evaluate-Y     one pair for each section model_X

scheduled   resolve --(if anything changed)--> any of them
"""

from collections.abc import Callable, Mapping
from typing import Any

from kfp import dsl

from components.evaluate.component import evaluate, evaluate_hybrid
from components.preprocess.component import preprocess
from components.push_model.component import push_model
from components.resolve.component import resolve
from components.train_backbone.component import train_backbone
from components.train_hybrid.component import train_hybrid
from components.validate.component import validate
from pipeline.parameters import Sections

Graph = Callable[[Sections], None]
"""Builds the tasks of a pipeline. `values("training", "hybrid")` gives the parameters of these sections by name."""

MODEL = "model_"
"""what the sections of a benchmark's models begin with"""


def hybrid(values: Sections) -> None:
    """Train two backbones and the hybrid that starts from their weights, evaluate it, and push it to the registry."""
    data, prepared = _prepared(values)
    first = train_backbone(data=prepared, **values("training", "backbone_a"))
    second = train_backbone(data=prepared, **values("training", "backbone_b"))
    trained = train_hybrid(
        data=prepared,
        first_keras=first.outputs["model_keras"],
        second_keras=second.outputs["model_keras"],
        **values("training", "hybrid"),
    ).outputs
    measured = evaluate_hybrid(
        data=prepared,
        masks_npz=data["masks_npz"],
        audit_json=data["audit_json"],
        model_keras=trained["model_keras"],
        history_csv=trained["history_csv"],
        first_history_csv=first.outputs["history_csv"],
        second_history_csv=second.outputs["history_csv"],
        **values("evaluate"),
    ).outputs
    _push(data, prepared, trained, measured, values)
    first.set_display_name("train-backbone-a")
    second.set_display_name("train-backbone-b")


def single(values: Sections) -> None:
    """Train one architecture, evaluate it, and push it to the registry."""
    data, prepared = _prepared(values)
    trained = train_backbone(data=prepared, **values("training", "model")).outputs
    measured = _evaluate(data, prepared, trained, values).outputs
    _push(data, prepared, trained, measured, values)


def benchmark(values: Sections) -> None:
    """Train architectures side by side and evaluate each; nothing is pushed, for a benchmark has no candidate.

    The tasks are written out, not looped over by dsl.ParallelFor, inside of which Kubeflow drops retries.
    """
    data, prepared = _prepared(values)
    for section in values.starting(MODEL):
        name = section.removeprefix(MODEL).replace("_", "-")
        training = train_backbone(data=prepared, **values("training", section))
        measuring = _evaluate(data, prepared, training.outputs, values)
        training.set_display_name(f"train-backbone-{name}")
        measuring.set_display_name(f"evaluate-{name}")


def scheduled(build: Graph) -> Graph:
    """The graph `build` behind a task that finds the data's version, and ends the run where nothing has changed.

    The md5 that `resolve` finds takes the place of the parameter data.md5.
    """

    def graph(values: Sections) -> None:
        registry = values("registry")
        compared = {name: registry[name] for name in ("store", "name", "provenance")}
        found = resolve(**values("schedule"), **compared)
        found.set_caching_options(False)  # it reads data.dvc and the model store, which no cache key knows
        with dsl.If(found.outputs["changed"] == "true"):
            build(values.having({MD5: found.outputs["md5"]}))

    graph.__doc__ = build.__doc__
    return graph


MD5 = "data__md5"

Outputs = Mapping[str, Any]
"""KFP's output artifacts of a task by name."""


def _prepared(values: Sections) -> tuple[Outputs, Any]:
    """What validate wrote, and the prepared data set."""
    data = validate(**values("data", "validate")).outputs
    faces = {name: data[name] for name in ("faces_npz", "masks_npz")}
    return data, preprocess(**faces, **values("preprocess")).outputs["prepared_pickle"]


def _evaluate(data: Outputs, prepared: Any, trained: Outputs, values: Sections) -> Any:
    return evaluate(
        data=prepared,
        masks_npz=data["masks_npz"],
        audit_json=data["audit_json"],
        model_keras=trained["model_keras"],
        history_csv=trained["history_csv"],
        **values("evaluate"),
    )


def _push(data: Outputs, prepared: Any, trained: Outputs, measured: Outputs, values: Sections) -> None:
    push = push_model(
        data=prepared,
        model_keras=trained["model_keras"],
        metrics_json=measured["metrics_json"],
        predictions_npz=measured["predictions_npz"],
        audit_json=data["audit_json"],
        **values("registry"),
    )
    push.set_caching_options(False)  # it reads and writes the model store, which no cache key knows


GRAPHS: dict[str, Graph] = {"hybrid": hybrid, "single": single, "benchmark": benchmark}

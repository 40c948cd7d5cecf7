"""The graphs, each written once; pipeline.yaml (Kubeflow) and dvc.yaml (DVC) are generated from them.

hybrid      validate --> preprocess --+--> train-backbone-a --+
                                      |                       +--> train-hybrid --> evaluate --> push-model
                                      +--> train-backbone-b --+

single      validate --> preprocess --> train-backbone --> evaluate --> push-model

two_step    validate --> preprocess --> train-backbone-frozen --> train-backbone-all --> evaluate-all --> push-model
                                                  |
                                                  +--> evaluate-frozen

distilled   validate --> preprocess --> train-backbone-teacher --> train-backbone-student --> evaluate --> push-model

benchmark   validate --> preprocess --+--> train-backbone-X --> evaluate-X     one pair for each section model_X
                                      +--> train-backbone-Y --> evaluate-Y
                                                 |
                                                 +--> train-hybrid-Z --> evaluate-hybrid-Z     for each hybrid_Z

            Z is a hybrid of the first two models. In single and benchmark, for each section cross_D:

            validate-D --> preprocess-D --> evaluate-X-on-D     each trained model on another data set

            With a section tfx, where there is push-model:

            preprocess, evaluate, push-model --> tfx-check      TFX's own components over what was made

scheduled   resolve --(if anything changed)--> any of them
"""

from collections.abc import Callable, Mapping
from typing import Any

from kfp import dsl

from components.evaluate.component import evaluate, evaluate_hybrid
from components.fer.errors import InputError
from components.preprocess.component import preprocess
from components.push_model.component import push_model
from components.resolve.component import resolve
from components.tfx_check.component import tfx_check
from components.train_backbone.component import train_backbone, train_backbone_further, train_backbone_taught
from components.train_hybrid.component import train_hybrid
from components.validate.component import validate
from pipeline.parameters import Sections

Graph = Callable[[Sections], None]
"""Builds the tasks of a pipeline. `values("training", "hybrid")` gives the parameters of these sections by name."""

MODEL, HYBRID, CROSS = "model_", "hybrid_", "cross_"
"""what the sections begin with of a benchmark's models and hybrids, and of further data sets to evaluate on"""


def hybrid(values: Sections) -> None:
    """Train two backbones and the hybrid that starts from their weights, evaluate it, and push it to the registry."""
    data, prepared = _prepared(values)
    first = train_backbone(data=prepared, **values("training", "backbone_a"))
    second = train_backbone(data=prepared, **values("training", "backbone_b"))
    training, measuring = _hybrid(data, prepared, first, second, values, "hybrid")
    _push(data, prepared, training.outputs, measuring.outputs, values)
    first.set_display_name("train-backbone-a")
    second.set_display_name("train-backbone-b")


def single(values: Sections) -> None:
    """Train one architecture, evaluate it, and push it to the registry; evaluate it on other data sets too."""
    data, prepared = _prepared(values)
    trained = train_backbone(data=prepared, **values("training", "model")).outputs
    measured = _evaluate(data, prepared, trained, values).outputs
    _push(data, prepared, trained, measured, values)
    _cross({"": trained}, values)


def two_step(values: Sections) -> None:
    """Train one architecture with its extractor frozen, from there as a whole; evaluate both, and push the second."""
    data, prepared = _prepared(values)
    frozen = train_backbone(data=prepared, **values("training", "first"))
    start = frozen.outputs["model_keras"]
    whole = train_backbone_further(data=prepared, start_keras=start, **values("training", "second"))
    measuring = {"frozen": _evaluate(data, prepared, frozen.outputs, values)}
    measuring["all"] = _evaluate(data, prepared, whole.outputs, values)
    _push(data, prepared, whole.outputs, measuring["all"].outputs, values)
    frozen.set_display_name("train-backbone-frozen")
    whole.set_display_name("train-backbone-all")
    for name, task in measuring.items():
        task.set_display_name(f"evaluate-{name}")


def distilled(values: Sections) -> None:
    """Train one architecture, train one by its labels and the first's answers, evaluate the second, and push it."""
    data, prepared = _prepared(values)
    teacher = train_backbone(data=prepared, **values("training", "teacher"))
    answers = teacher.outputs["model_keras"]
    student = train_backbone_taught(data=prepared, teacher_keras=answers, **values("training", "student"))
    measured = _evaluate(data, prepared, student.outputs, values).outputs
    _push(data, prepared, student.outputs, measured, values)
    teacher.set_display_name("train-backbone-teacher")
    student.set_display_name("train-backbone-student")


def benchmark(values: Sections) -> None:
    """Train architectures and hybrids of the first two, and evaluate each; nothing is pushed: there is no candidate.

    The tasks are written out, not looped over by dsl.ParallelFor, inside of which Kubeflow drops retries.
    """
    data, prepared = _prepared(values)
    trained: dict[str, Any] = {}
    for section in values.starting(MODEL):
        name = _name(section, MODEL)
        trained[name] = train_backbone(data=prepared, **values("training", section))
        measuring = _evaluate(data, prepared, trained[name].outputs, values)
        trained[name].set_display_name(f"train-backbone-{name}")
        measuring.set_display_name(f"evaluate-{name}")
    for section in values.starting(HYBRID):
        first, second = _two(trained)
        name = f"hybrid-{_name(section, HYBRID)}"
        trained[name], measuring = _hybrid(data, prepared, first, second, values, section)
        trained[name].set_display_name(f"train-{name}")
        measuring.set_display_name(f"evaluate-{name}")
    _cross({f"{name}-": task.outputs for name, task in trained.items()}, values)


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


def _prepared(values: Sections, source: str = "data") -> tuple[Outputs, Any]:
    """What validate wrote and the prepared TFRecords, and the prepared pickle; section `source` says where from."""
    validating = validate(**values(source, "validate"))
    data = validating.outputs
    faces = {name: data[name] for name in ("faces_npz", "masks_npz")}
    preparing = preprocess(**faces, **values("preprocess"))
    if source != "data":
        validating.set_display_name(f"validate-{_name(source, CROSS)}")
        preparing.set_display_name(f"preprocess-{_name(source, CROSS)}")
    made = preparing.outputs
    return {**data, "prepared_tfrecord": made["prepared_tfrecord"]}, made["prepared_pickle"]


def _hybrid(data: Outputs, prepared: Any, first: Any, second: Any, values: Sections, section: str) -> tuple[Any, Any]:
    """The tasks that train the hybrid of two trained backbones by `section`, and evaluate it beside them."""
    backbones = {"first_keras": first.outputs["model_keras"], "second_keras": second.outputs["model_keras"]}
    training = train_hybrid(data=prepared, **backbones, **values("training", section))
    measuring = evaluate_hybrid(
        data=prepared,
        masks_npz=data["masks_npz"],
        audit_json=data["audit_json"],
        model_keras=training.outputs["model_keras"],
        history_csv=training.outputs["history_csv"],
        first_history_csv=first.outputs["history_csv"],
        second_history_csv=second.outputs["history_csv"],
        **backbones,
        **values("evaluate"),
    )
    return training, measuring


def _cross(trained: Mapping[str, Outputs], values: Sections) -> None:
    """Evaluate trained models, by what their names put before `on-D`, on each further data set D."""
    for section in values.starting(CROSS):
        data, prepared = _prepared(values, section)
        for name, outputs in trained.items():
            measuring = _evaluate(data, prepared, outputs, values)
            measuring.set_display_name(f"evaluate-{name}on-{_name(section, CROSS)}")


def _name(section: str, prefix: str) -> str:
    """The part of a section's name that is for tasks: efficientnet-b0 of model_efficientnet_b0."""
    return section.removeprefix(prefix).replace("_", "-")


def _two(trained: Mapping[str, Any]) -> list[Any]:
    """The first two trained models. Raises `InputError` where there are not two."""
    if len(trained) < 2:
        raise InputError(
            f"parameters of the graph benchmark: expected two sections {MODEL}X for a hybrid, found {len(trained)}.",
            f"Add a section {MODEL}X, or remove those that begin with {HYBRID}.",
        )
    return list(trained.values())[:2]


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
    if own := values("tfx"):
        registry = values("registry")
        tfx_check(
            tfrecord=data["prepared_tfrecord"],
            masks_npz=data["masks_npz"],
            metrics_json=measured["metrics_json"],
            predictions_npz=measured["predictions_npz"],
            version_json=push.outputs["version_json"],
            blessing=push.outputs["blessing"],
            ferplus=values("evaluate")["ferplus"],
            **{name: registry[name] for name in ("store", "name", "floor_over_majority", "class_floor")},
            **own,
        )


GRAPHS: dict[str, Graph] = {graph.__name__: graph for graph in (hybrid, single, two_step, distilled, benchmark)}

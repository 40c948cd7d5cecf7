"""The graphs: which tasks a params.yaml gives, and what each of them takes from which."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.fer.errors import InputError
from pipeline import desk, kubeflow, lint, parameters, placement

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def values_of(recipe: str) -> dict[str, Any]:
    return dict(parameters.read(RECIPES / recipe / "params.yaml"))


def section(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key.startswith(f"{name}__")}


def renamed(values: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    return {key.replace(f"{old}__", f"{new}__", 1): value for key, value in section(values, old).items()}


def two_step_values() -> dict[str, Any]:
    values = values_of("demo_single")
    steps = {**renamed(values, "model", "first"), **renamed(values, "model", "second"), "first__freeze": "all"}
    return {name: value for name, value in {**values, **steps}.items() if not name.startswith("model__")}


def distilled_values() -> dict[str, Any]:
    values = values_of("demo_single")
    generations = {**renamed(values, "model", "teacher"), **renamed(values, "model", "student")}
    return {name: value for name, value in {**values, **generations}.items() if not name.startswith("model__")}


def benchmark_values(*hybrids: str) -> dict[str, Any]:
    """The demo's two architectures and hybrids of them."""
    keys = {"branches": "FF", "weights": "trained", "epochs": 2, "learning_rate": 0.001}
    added = {f"hybrid_{name}__{key}": value for name in hybrids for key, value in keys.items()}
    return {**values_of("demo_benchmark"), **added}


CROSS = {"cross_other_faces__path": "other", "cross_other_faces__md5": "", "cross_other_faces__ferplus": ""}


def edges(graph: str, values: Mapping[str, Any]) -> dict[str, set[str]]:
    """The tasks of the compiled graph, each with `task.output` of whatever it takes."""
    document, _ = kubeflow.compiled(graph, values)
    tasks = document["root"]["dag"]["tasks"]
    names = {key: task["taskInfo"]["name"] for key, task in tasks.items()}
    assert len(set(names.values())) == len(names)
    found = {}
    for key, task in tasks.items():
        taken = [entry["taskOutputArtifact"] for entry in task["inputs"].get("artifacts", {}).values()]
        found[names[key]] = {f"{names[entry['producerTask']]}.{entry['outputArtifactKey']}" for entry in taken}
    return found


def test_two_step_starts_the_second_training_from_the_first_and_pushes_the_second() -> None:
    found = edges("two_step", two_step_values())
    assert found.keys() == {
        *("validate", "preprocess", "train-backbone-frozen", "train-backbone-all"),
        *("evaluate-frozen", "evaluate-all", "push-model"),
    }
    assert found["train-backbone-frozen"] == {"preprocess.prepared_pickle"}
    assert found["train-backbone-all"] == {"preprocess.prepared_pickle", "train-backbone-frozen.model_keras"}
    assert {"train-backbone-frozen.model_keras", "train-backbone-frozen.history_csv"} <= found["evaluate-frozen"]
    assert {"train-backbone-all.model_keras", "evaluate-all.predictions_npz"} <= found["push-model"]


def test_distilled_teaches_the_second_training_by_the_first_and_pushes_the_second() -> None:
    found = edges("distilled", distilled_values())
    assert found.keys() == {
        *("validate", "preprocess", "train-backbone-teacher", "train-backbone-student", "evaluate", "push-model")
    }
    assert found["train-backbone-teacher"] == {"preprocess.prepared_pickle"}
    assert found["train-backbone-student"] == {"preprocess.prepared_pickle", "train-backbone-teacher.model_keras"}
    assert {"train-backbone-student.model_keras", "train-backbone-student.history_csv"} <= found["evaluate"]
    assert {"train-backbone-student.model_keras", "evaluate.predictions_npz"} <= found["push-model"]


def test_a_benchmark_trains_hybrids_of_its_first_two_models() -> None:
    found = edges("benchmark", benchmark_values("loaded_ff", "tt"))
    backbones = {"train-backbone-vgg-small.model_keras", "train-backbone-resnet-small.model_keras"}
    for name in ("hybrid-loaded-ff", "hybrid-tt"):
        assert found[f"train-{name}"] == {"preprocess.prepared_pickle", *backbones}
        assert {f"train-{name}.model_keras", *backbones} <= found[f"evaluate-{name}"]
    assert "push-model" not in found


def test_a_hybrid_needs_two_models() -> None:
    values = {name: value for name, value in benchmark_values("tt").items() if "model_vgg_small" not in name}
    with pytest.raises(InputError) as error:
        kubeflow.compiled("benchmark", values)
    assert str(error.value) == (
        "parameters of the graph benchmark: expected two sections model_X for a hybrid, found 1.\n"
        "Add a section model_X, or remove those that begin with hybrid_."
    )


@pytest.mark.parametrize(
    ("graph", "values", "evaluated"),
    [
        ("single", values_of("demo_single"), {"": "train-backbone"}),
        (
            "benchmark",
            benchmark_values("tt"),
            {
                "vgg-small-": "train-backbone-vgg-small",
                "resnet-small-": "train-backbone-resnet-small",
                "hybrid-tt-": "train-hybrid-tt",
            },
        ),
    ],
    ids=["single", "benchmark"],
)
def test_each_trained_model_is_evaluated_on_a_further_data_set(
    graph: str, values: dict[str, Any], evaluated: dict[str, str]
) -> None:
    plain, crossed = edges(graph, values), edges(graph, {**values, **CROSS})
    assert {name: crossed[name] for name in plain} == plain
    added = {name: crossed[name] for name in crossed if name not in plain}
    data = {"validate-other-faces.audit_json", "validate-other-faces.masks_npz"}
    assert added == {
        "validate-other-faces": set(),
        "preprocess-other-faces": {"validate-other-faces.faces_npz", "validate-other-faces.masks_npz"},
        **{
            f"evaluate-{name}on-other-faces": {
                "preprocess-other-faces.prepared_pickle",
                f"{task}.model_keras",
                f"{task}.history_csv",
                *data,
            }
            for name, task in evaluated.items()
        },
    }


@pytest.mark.parametrize(
    ("graph", "values"),
    [
        ("two_step", two_step_values()),
        ("distilled", distilled_values()),
        ("benchmark", {**benchmark_values("tt"), **CROSS}),
    ],
    ids=["two_step", "distilled", "benchmark"],
)
def test_the_linter_and_the_node_pools_take_them(graph: str, values: dict[str, Any]) -> None:
    found = lint.findings(*kubeflow.compiled(graph, values), placement.Table.read())
    assert {finding.rule for finding in found if finding.severity == "error"} == set()


TFX = {"tfx__tolerance": 0.002}

PUSHING = [
    ("hybrid", values_of("demo")),
    ("single", values_of("demo_single")),
    ("two_step", two_step_values()),
    ("distilled", distilled_values()),
]


@pytest.mark.parametrize(("graph", "values"), PUSHING, ids=[graph for graph, _ in PUSHING])
def test_a_section_tfx_puts_tfx_check_behind_push_model(graph: str, values: dict[str, Any]) -> None:
    plain, checked = edges(graph, values), edges(graph, {**values, **TFX})
    assert "tfx-check" not in plain
    assert {name: checked[name] for name in plain} == plain
    evaluated = "evaluate-all" if graph == "two_step" else "evaluate"
    assert checked.keys() - plain.keys() == {"tfx-check"}
    assert checked["tfx-check"] == {
        "preprocess.prepared_tfrecord",
        "validate.masks_npz",
        *(f"{evaluated}.{output}" for output in ("metrics_json", "predictions_npz")),
        *(f"push-model.{output}" for output in ("version_json", "blessing")),
    }
    found = lint.findings(*kubeflow.compiled(graph, {**values, **TFX}), placement.Table.read())
    assert {finding.rule for finding in found if finding.severity == "error"} == set()


def test_tfx_check_leaves_the_other_stages_of_dvc_as_they_are() -> None:
    """All but push-model, which writes down every parameter of the run: no training becomes stale by it."""
    folder, values = RECIPES / "demo", values_of("demo")
    plain, checked = (
        yaml.safe_load(desk.translate(kubeflow.compiled("hybrid", found)[0], folder))["stages"]
        for found in (values, {**values, **TFX})
    )
    own = checked.pop("tfx-check")
    assert plain.keys() == checked.keys()
    assert {name for name in plain if plain[name] != checked[name]} == {"push-model"}
    assert set(own["params"]) == {
        *("tfx.tolerance", "evaluate.ferplus"),
        *(f"registry.{name}" for name in ("store", "name", "floor_over_majority", "class_floor")),
    }


def test_where_nothing_is_pushed_there_is_nothing_for_tfx_check() -> None:
    with pytest.raises(InputError, match=r"graph benchmark: no stage uses tfx\.tolerance"):
        kubeflow.compiled("benchmark", {**benchmark_values("tt"), **TFX})

import json
from typing import Any

import numpy as np
import pytest

from components.evaluate.measure import Sample, measure, measure_all, measure_branch, measure_views
from components.fer.metrics import scores
from tests.components.evaluate.conftest import SETTINGS, sample


@pytest.fixture(scope="module")
def tree(samples: dict[str, Sample]) -> dict[str, Any]:
    return measure_all(samples["public"], {name: samples[name] for name in samples if name != "public"}, SETTINGS)


def test_the_tree_is_plain_json_with_six_digits(tree: dict[str, Any]) -> None:
    assert json.loads(json.dumps(tree, allow_nan=False)) == tree
    assert tree["public"]["accuracy"] == round(tree["public"]["accuracy"], 6)


def test_every_figure_lies_within_its_interval(tree: dict[str, Any]) -> None:
    for values in (tree["public"], tree["private"]["full"], tree["private"]["clean_exact"]):
        for name in ("accuracy", "balanced_accuracy", "macro_f1"):
            assert values[f"{name}_low"] < values[name] < values[f"{name}_high"]


def test_an_empty_form_says_so(tree: dict[str, Any]) -> None:
    assert tree["private"]["clean_near"]["n"] == 0
    assert tree["private"]["clean_near"]["accuracy"] is None
    assert "No image" in tree["private"]["clean_near"]["reason"]
    assert tree["majority_baseline"]["private"]["clean_near"] is None


def test_the_majority_baseline_is_the_share_of_the_training_majority(tree: dict[str, Any]) -> None:
    assert tree["majority_baseline"]["expression"] == "happy"
    assert tree["majority_baseline"]["public"] == pytest.approx(1 / 7, abs=1e-6)


def test_copies_are_counted_once(tree: dict[str, Any]) -> None:
    assert (tree["public"]["n"], tree["public"]["copy_groups"]) == (70, 69)


def test_tables_by_expression_agree_with_the_confusion_matrix(tree: dict[str, Any]) -> None:
    confusion = np.array(tree["public"]["confusion"])
    assert confusion.sum() == 70
    happy = tree["public"]["per_class"][3]
    assert happy["expression"] == "happy"
    assert happy["support"] == confusion[3].sum()
    assert happy["recall"] == pytest.approx(confusion[3, 3] / confusion[3].sum(), abs=1e-6)
    assert happy["confused"] == np.delete(confusion[3], 3).max()


def test_ferplus_agreement_counts_only_images_with_a_majority() -> None:
    tested = sample(70, seed=1)
    values = measure(tested, SETTINGS)["ferplus"]
    decided = np.arange(70) % 3 != 2
    prediction = scores.predicted(tested.probabilities)
    assert values["n"] == decided.sum()
    assert values["accuracy"] == (prediction == tested.label)[decided].mean()
    assert "ferplus" not in measure(sample(70, seed=1, ferplus=False), SETTINGS)


def test_one_image_of_one_expression_can_be_measured() -> None:
    one = measure(sample(70, seed=1).only(np.arange(70) == 8), SETTINGS)
    assert one["n"] == 1
    assert {row["support"] for row in one["per_class"]} == {0, 1}


def test_views_get_the_figures_with_intervals_measured_alike(samples: dict[str, Sample], tree: dict[str, Any]) -> None:
    forms = {name: samples[name] for name in samples if name != "public"}
    seen = measure_views("flip", samples["public"], forms, SETTINGS)
    assert seen["kind"] == "flip"
    assert seen["public"].items() <= tree["public"].items()
    assert {"n", "accuracy", "accuracy_low", "accuracy_high", "macro_f1"} <= set(seen["public"])
    assert seen["private"]["clean_near"] == tree["private"]["clean_near"]


def test_a_hybrid_is_compared_with_its_backbone_image_by_image() -> None:
    def answers(prediction: list[int]) -> scores.Probabilities:
        return np.eye(7, dtype=np.float32)[prediction]

    hybrid = Sample(answers([0, 0, 0, 0, 0, 1]), np.zeros(6, np.uint8), np.arange(6, dtype=np.int32), None)
    branch = measure_branch(hybrid, answers([0, 1, 2, 3, 4, 0]), SETTINGS)
    f1 = 2 * 5 / (6 + 5), 2 * 2 / (6 + 2)  # of the one expression that occurs
    low, high = branch.pop("macro_f1_gain_low"), branch.pop("macro_f1_gain_high")
    assert branch == {
        "accuracy": pytest.approx(2 / 6),
        "gained": 4,
        "lost": 1,
        "p_better": pytest.approx(6 / 32),
        "p_worse": pytest.approx(31 / 32),
        "macro_f1": pytest.approx(f1[1]),
        "macro_f1_gain": pytest.approx(f1[0] - f1[1]),
    }
    assert low < f1[0] - f1[1] < high

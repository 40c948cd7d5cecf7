"""TFMA's figures and evaluate's are held to each other, slice by slice."""

from typing import Any

import pytest

from components.fer.dataset import EXPRESSIONS
from components.fer.errors import InputError
from components.tfx_check import agreement
from components.tfx_check.slices import OVERALL, Count, Slice

HAPPY: Slice = ("expression", "happy")
OURS = {OVERALL: Count(3000, 1800), HAPPY: Count(800, 700)}


@pytest.mark.parametrize("right", [1798, 1800, 1806])
def test_within_the_tolerance_they_agree(right: int) -> None:
    agreement.check("PublicTest", OURS, {OVERALL: Count(3000, right), HAPPY: Count(800, 701)}, 0.002)


def test_one_image_is_allowed_in_a_slice_however_small() -> None:
    agreement.check("PublicTest", {HAPPY: Count(5, 3)}, {HAPPY: Count(5, 2)}, 0.002)
    with pytest.raises(InputError, match="expression happy"):
        agreement.check("PublicTest", {HAPPY: Count(5, 3)}, {HAPPY: Count(5, 1)}, 0.002)


def test_every_slice_that_differs_is_named_and_no_other() -> None:
    theirs = {OVERALL: Count(3000, 1803), HAPPY: Count(800, 690), ("expression", "sad"): Count(1, 1)}
    with pytest.raises(InputError) as error:
        agreement.check("PublicTest", OURS, theirs, 0.002)
    assert str(error.value).splitlines()[:-1] == [
        "PublicTest: expected TFMA's figures to be those of evaluate, they differ in",
        "  expression happy: 700 of 800 right by evaluate, 690 of 800 right by TFMA; allowed difference 1",
        "  expression sad: no image by evaluate, 1 of 1 right by TFMA",
    ]


def test_of_stored_answers_not_one_image_may_differ() -> None:
    with pytest.raises(InputError, match=r"all images: 1,800 of 3,000 .* 1,801 of 3,000 .* allowed difference 0"):
        agreement.check("PrivateTest", OURS, {**OURS, OVERALL: Count(3000, 1801)}, None)


def test_the_number_of_images_has_no_tolerance() -> None:
    with pytest.raises(InputError, match="700 of 800 right by evaluate, 700 of 799 right by TFMA"):
        agreement.check("PublicTest", OURS, {**OURS, HAPPY: Count(799, 700)}, 0.5)


PRIVATE = {OVERALL: Count(4, 3), ("clean_exact", "yes"): Count(3, 2), ("clean_near", "no"): Count(4, 3)}


def metrics() -> dict[str, Any]:
    """Six digits, and none where a set is empty, as evaluate writes them."""
    per_class: list[dict[str, Any]] = [{"expression": name, "recall": None} for name in EXPRESSIONS]
    per_class[EXPRESSIONS.index("happy")]["recall"] = 0.875
    forms = {"full": 0.75, "clean_exact": 0.666667, "clean_near": None}
    return {
        "public": {"accuracy": 0.6, "per_class": per_class},
        "private": {name: {"accuracy": figure} for name, figure in forms.items()},
    }


def test_metrics_are_those_of_the_predictions() -> None:
    agreement.check_metrics(metrics(), OURS, PRIVATE, "metrics.json")


@pytest.mark.parametrize(
    ("path", "figure", "message"),
    [
        (("public", "accuracy"), 0.601, "public.accuracy is 0.601, but the predictions give 0.6"),
        (("private", "clean_exact", "accuracy"), None, "private.clean_exact.accuracy is None, .* give 0.66"),
        (("private", "clean_near", "accuracy"), 0.5, "private.clean_near.accuracy is 0.5, .* give None"),
        (("public", "per_class", 3, "recall"), 0.5, "public recall of happy is 0.5, .* give 0.875"),
    ],
)
def test_a_figure_that_the_predictions_do_not_give_is_named(path: Any, figure: Any, message: str) -> None:
    tree: Any = metrics()
    entry = tree
    for step in path[:-1]:
        entry = entry[step]
    entry[path[-1]] = figure
    with pytest.raises(InputError, match=message):
        agreement.check_metrics(tree, OURS, PRIVATE, "metrics.json")


def test_the_table_has_both_figures() -> None:
    assert agreement.table({HAPPY: Count(3, 2)}, {HAPPY: Count(3, 1)}) == [
        {"slice": "expression happy", "images": 3, "evaluate": 0.666667, "tfma": 0.333333}
    ]

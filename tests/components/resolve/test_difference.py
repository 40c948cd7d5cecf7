"""What differs between the run that may follow and one that made a version."""

from typing import Any

import pytest

from components.model_store.provenance import Provenance
from components.resolve.difference import Origin, differences

MADE = Provenance(
    commit="3f6c48d",
    dirty=False,
    images={"train-hybrid": "ferflow-train-hybrid@sha256:aa", "resolve": "ferflow-resolve@sha256:aa"},
    parameters={"training__seed": 1, "hybrid__learning_rate": 0.001, "data__path": "gs://d", "registry__alpha": 0.05},
    run="fer-hybrid-1",
)
THEN = Origin("f8428a1e", MADE)


def now(**changes: Any) -> Origin:
    return Origin("f8428a1e", MADE.model_copy(update=changes))


def test_a_run_is_the_same_whatever_it_is_called() -> None:
    assert differences(now(run="fer-hybrid-2"), THEN) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"parameters": {"training__seed": 2, "hybrid__learning_rate": 0.001}},
            ["parameter training.seed: 2, was 1"],
        ),
        (
            {"parameters": {"training__seed": 1, "training__flip": True}},
            ["parameter hybrid.learning_rate: not there, was 0.001", "parameter training.flip: True, was not there"],
        ),
        (
            {"images": {"train-hybrid": "ferflow-train-hybrid@sha256:bb"}},
            ["image train-hybrid: ferflow-train-hybrid@sha256:bb, was ferflow-train-hybrid@sha256:aa"],
        ),
    ],
)
def test_what_decides_a_model_is_named(changes: dict[str, Any], said: list[str]) -> None:
    assert differences(now(**changes), THEN) == said


@pytest.mark.parametrize(
    "changes",
    [
        {"commit": "62c9a37", "dirty": True},  # the images hold the code
        {"images": {**MADE.images, "resolve": "ferflow-resolve@sha256:bb"}},
        {"parameters": {**MADE.parameters, "data__path": "s3://other"}},
        {"parameters": {**MADE.parameters, "data__md5": "0"}},
        {"parameters": {**MADE.parameters, "registry__alpha": 0.01}},
    ],
)
def test_what_decides_no_model_is_not(changes: dict[str, Any]) -> None:
    assert differences(now(**changes), THEN) == []


def test_other_data_is_named_by_its_md5() -> None:
    assert differences(Origin("0c5b4e2d", MADE), THEN) == ["data: md5 0c5b4e2d, was f8428a1e"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"commit": "62c9a37"}, ["commit: 62c9a37, was 3f6c48d"]),
        ({"dirty": True}, ["commit: 3f6c48d with changes, was 3f6c48d"]),
    ],
)
def test_without_images_the_commit_says_which_code(changes: dict[str, Any], said: list[str]) -> None:
    then = Origin("f8428a1e", MADE.model_copy(update={"images": {}}))
    assert differences(now(images={}, **changes), then) == said


def test_changes_that_no_commit_holds_are_never_the_same() -> None:
    then = Origin("f8428a1e", MADE.model_copy(update={"images": {}, "dirty": True}))
    assert differences(then, then) == ["commit: 3f6c48d with changes, was 3f6c48d with changes"]


def test_a_version_from_a_desk_is_never_the_same() -> None:
    said = ["code and parameters: not known, for one of the two runs was not submitted"]
    assert differences(now(), Origin("f8428a1e", None)) == said

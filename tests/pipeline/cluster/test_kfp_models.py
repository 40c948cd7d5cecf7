"""What the stand-in server holds requests and answers to."""

from typing import Any

import pytest

from tests.pipeline.cluster.kfp_models import held_to

RUN = {
    "display_name": "x",
    "state": "PENDING",
    "runtime_config": {"parameters": {"seed": 1}},
    "created_at": "2026-01-01",
}


def test_what_the_client_knows() -> None:
    held_to("V2beta1Run", RUN)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x"},
        {"display_name": 1},
        {"state": "DONE"},
        {"runtime_config": {"parameter": {}}},
        {"runtime_config": []},
        {"created_at": "yesterday"},
        {"run_details": {"task_details": {}}},
        {"run_details": {"task_details": [{"child_tasks": [{"pod": "x"}]}]}},
    ],
)
def test_what_it_does_not_know_fails(wrong: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        held_to("V2beta1Run", {**RUN, **wrong})

"""Cron expressions are checked as Kubeflow reads them."""

import pytest

from pipeline.cluster import cron


@pytest.mark.parametrize(
    "text",
    [
        "0 0 3 * * 1",
        "*/10 0-30/5 ? 1,15 JAN-mar SUN",
        "59 59 23 31 12 6",
        "0 0 9 ? * 2-6",
        "0  0 3 * * MON",
        "5/15 * * * * *",
    ],
)
def test_what_kubeflow_reads(text: str) -> None:
    assert cron.problem(text) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0 3 * * 1", "expected six fields, seconds first: try '0 0 3 * * 1'. Received: '0 3 * * 1'"),
        ("@daily", "expected six fields, seconds first, e.g. '0 0 3 * * 1' (Mondays at 3). Received: '@daily'"),
        (
            "0 0 0 3 * * 1",
            "expected six fields, seconds first, e.g. '0 0 3 * * 1' (Mondays at 3). Received: '0 0 0 3 * * 1'",
        ),
        ("60 0 3 * * 1", "seconds: expected 0 to 59, received '60'."),
        ("0 0 24 * * 1", "hours: expected 0 to 23, received '24'."),
        ("0 0 3 0 * *", "day of the month: expected 1 to 31, received '0'."),
        ("0 0 3 * 13 *", "month: expected 1 to 12 or JAN to DEC, received '13'."),
        ("0 0 3 * * 7", "day of the week: expected 0 to 6 or SUN to SAT, received '7'."),
        ("0 0 3 * * MON-FRIDAY", "day of the week: expected 0 to 6 or SUN to SAT, received 'MON-FRIDAY'."),
        ("0 0 5-3 * * *", "hours: expected 0 to 23, received '5-3'."),
        ("0 0 1-2-3 * * *", "hours: expected 0 to 23, received '1-2-3'."),
        ("0 0 */0 * * *", "hours: expected a number behind the slash, received '*/0'."),
        ("0 0 -1 * * *", "hours: expected 0 to 23, received '-1'."),
        ("0 0 1,, * * *", "hours: expected 0 to 23, received ''."),
    ],
)
def test_a_fault_is_named(text: str, problem: str) -> None:
    assert cron.problem(text) == problem

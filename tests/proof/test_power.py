"""The table of the gate's power is that of the code, and drawing models one by one says the same."""

from dataclasses import replace

import pytest

from components.model_store.records import Rule
from tests.proof import power


def test_the_table_in_the_docs_is_written_by_this_code() -> None:
    page = power.PAGE.read_text()
    assert "| +3 |" in page
    assert page == power.written(page), "write it again: python -m tests.proof.power"


@pytest.mark.parametrize(("rule", "difference"), [("superiority", 0.0), ("non_inferiority", -1.0)])
@pytest.mark.parametrize("share", [0.03, 0.09, 0.3])
def test_models_that_are_not_good_enough_are_promoted_at_most_alpha_of_the_time(
    rule: Rule, difference: float, share: float
) -> None:
    asked = replace(power.rules(rule), margin=1.0, minimum_effect=0.0, alpha=0.05)
    # The exact test keeps alpha exactly; the score test is asymptotic.
    assert power.power(difference, share, asked) <= 0.05 + (0.002 if rule == "non_inferiority" else 0)


@pytest.mark.parametrize("rule", ["superiority", "non_inferiority"])
@pytest.mark.parametrize("difference", [0.0, 1.0])
def test_simulated_models_are_promoted_as_often_as_computed(rule: Rule, difference: float) -> None:
    asked = power.rules(rule)
    expected = power.power(difference, 0.09, asked)
    found = power.simulated(difference, 0.09, asked, draws=1000, seed=2).mean()
    assert found == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 1000) ** 0.5)

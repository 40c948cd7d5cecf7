"""Holds a table of facts to what is expected of it, by Great Expectations."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.expectations.row_conditions import Column

from components.fer.dataset import USAGES
from components.validate import published

RUN = RunIdentifier("validate", datetime(1970, 1, 1, tzinfo=UTC))
"""The same at every run: the same data gives the same Data Docs, byte for byte."""


def published_counts() -> list[gxe.Expectation]:
    """Expect the published counts of the genuine FER2013."""
    return [
        gxe.ExpectTableRowCountToEqual(value=count, row_condition=condition, description=f"{count:,} {name}")
        for name, (condition, count) in published.counts().items()
    ]


def sane_ranges(near_correlation: float, expressions: int) -> list[gxe.Expectation]:
    """Expect what any data set of so many facial expressions should hold: shares and ranges, no counts."""
    splits = [
        gxe.ExpectColumnUniqueValueCountToBeBetween(
            column="label",
            min_value=expressions,
            row_condition=Column("usage") == usage,
            description=f"{expressions} expressions in {usage}",
        )
        for usage in USAGES
    ]
    return [
        *splits,
        gxe.ExpectColumnValuesToBeBetween(
            column="mean",
            min_value=32,
            max_value=224,
            mostly=0.95,
            description="95 % of the images neither black nor white: a mean grey level from 32 to 224",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="contrast",
            min_value=8,
            mostly=0.99,
            description="99 % of the images with a contrast of at least 8 grey levels",
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="constant",
            value_set=[False],
            mostly=0.99,
            description="99 % of the images not constant",
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="conflict",
            value_set=[False],
            mostly=0.98,
            description="98 % of the images without an identical image of another label",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="copies",
            max_value=1,
            mostly=0.8,
            description="80 % of the images without an identical image",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="near_correlation",
            max_value=near_correlation,
            strict_max=True,
            mostly=0.7,
            description=f"70 % of the test images correlated with every Training image below {near_correlation:g}",
        ),
    ]


def hold(facts: pd.DataFrame, expectations: list[gxe.Expectation]) -> ExpectationSuiteValidationResult:
    """Hold the facts to the expectations, in memory and without a network."""
    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
            store_backend_defaults=InMemoryStoreBackendDefaults(),
        ),
    )
    batch = (
        context.data_sources.add_pandas("FER").add_dataframe_asset("facts").add_batch_definition_whole_dataframe("all")
    )
    suite = context.suites.add(gx.ExpectationSuite("faces", expectations=expectations))
    validation = context.validation_definitions.add(gx.ValidationDefinition(name="faces", data=batch, suite=suite))
    return validation.run(
        batch_parameters={"dataframe": facts},
        run_id=RUN,
        # Single images tell a reader nothing here, and their correlations end in digits that depend on the machine.
        result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
    )


def failures(result: ExpectationSuiteValidationResult) -> list[str]:
    """Word each expectation that was not met, with what was observed instead."""
    return [
        f"expected {entry.expectation_config.description}, {_observed(entry.result)}"
        for entry in result.results
        if not entry.success
    ]


def _observed(result: Mapping[str, Any]) -> str:
    if result.get("observed_value") is not None:
        return f"received {result['observed_value']}"
    if "unexpected_percent" in result:
        return f"received {result['unexpected_percent']:.1f} % that are not so"
    return "received what could not be counted"

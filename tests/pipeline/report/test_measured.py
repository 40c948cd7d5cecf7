"""Intervals and bins, from answers or from counts."""

import numpy as np
import pytest

from components.fer.dataset import EXPRESSIONS
from components.fer.metrics import calibration, scores
from components.fer.metrics.bootstrap import Interval, resampled_confusions
from pipeline.report import measured
from pipeline.report.measured import Answers
from tests.components.evaluate.conftest import sample

SAID = sample(70, seed=1)
ANSWER = scores.predicted(SAID.probabilities)
COUNTS = scores.confusion_matrix(SAID.label, ANSWER, 7)
FIGURES = {"precision": scores.precision(COUNTS), "recall": scores.recall(COUNTS), "f1": scores.f1(COUNTS)}
TREE = {
    "confusion": COUNTS.tolist(),
    "per_class": [dict(zip(FIGURES, row, strict=True)) for row in np.transpose(list(FIGURES.values())).tolist()],
}


def test_counts_come_apart_into_as_many_answers() -> None:
    found = measured.apart(COUNTS)
    np.testing.assert_array_equal(scores.confusion_matrix(found.label, found.answer, 7), COUNTS)
    assert len(np.unique(found.group)) == 70


@pytest.mark.parametrize("figure", FIGURES)
def test_each_interval_holds_its_figure(figure: str) -> None:
    found = measured.expressions(TREE, Answers(SAID.label, ANSWER, SAID.group), 500, 1)
    for row, bounds in zip(found.rows, found.intervals[figure], strict=True):
        assert bounds
        assert 0 <= bounds.low <= row[figure] <= bounds.high <= 1


def test_an_interval_is_that_of_the_figure_in_each_sample() -> None:
    found = measured.expressions(TREE, Answers(SAID.label, ANSWER, SAID.group), 500, 1)
    drawn = resampled_confusions(SAID.label, ANSWER, 7, SAID.group, 500, 1)
    happy = EXPRESSIONS.index("happy")
    hits = drawn[:, happy, happy]
    expected = np.quantile(2 * hits / (drawn[:, happy].sum(axis=1) + drawn[:, :, happy].sum(axis=1)), (0.025, 0.975))
    assert found.intervals["f1"][happy] == pytest.approx(tuple(expected))


def test_copies_widen_an_interval() -> None:
    """Ten copies of each image tell no more than one of it."""
    copied = Answers(*(np.repeat(column, 10) for column in (SAID.label, ANSWER, np.arange(70))))
    apart = copied._replace(group=np.arange(700))
    wide, narrow = (measured.expressions(TREE, answers, 500, 1).intervals["recall"] for answers in (copied, apart))
    for one, other in zip(wide, narrow, strict=True):
        assert one
        assert other
        assert one.high - one.low > 1.5 * (other.high - other.low)


def test_an_expression_that_does_not_occur_has_no_interval() -> None:
    counts = COUNTS.copy()
    counts[1] = 0
    found = measured.expressions(TREE, measured.apart(counts), 200, 1)
    for intervals in (found.intervals["recall"], found.intervals["f1"]):
        assert intervals[1] is None
        assert isinstance(intervals[0], Interval)


def test_an_expression_that_is_never_answered_has_no_interval_of_precision() -> None:
    counts = COUNTS.copy()
    counts[:, 1] = 0
    found = measured.expressions(TREE, measured.apart(counts), 200, 1)
    assert found.intervals["precision"][1] is None
    assert found.intervals["recall"][1] == found.intervals["f1"][1] == (0, 0)


def test_bins_are_those_that_evaluate_wrote() -> None:
    table = calibration.reliability(SAID.probabilities, SAID.label)
    filled = table.count > 0
    found = measured.in_bins(np.stack([table.confidence, table.accuracy, table.count], axis=1)[filled])
    for one, other in zip(vars(found).values(), vars(table).values(), strict=True):
        np.testing.assert_allclose(one, other)


@pytest.mark.parametrize(("place", "expected"), [("public", {"n": 1}), ("private.full", {"n": 2})])
def test_a_place_is_a_branch_of_the_tree(place: str, expected: dict[str, int]) -> None:
    assert measured.at({"public": {"n": 1}, "private": {"full": {"n": 2}}}, place) == expected

"""The planted changes are what they are called, and the measurement tells them from nothing."""

import numpy as np
import pytest

from components.fer.dataset import EXPRESSIONS
from pipeline.monitor import drift as monitored
from pipeline.monitor.sample import FIGURES
from tests.proof import drift
from tests.proof.drift import CHANGES, NOTHING, Served


@pytest.fixture(scope="module")
def served() -> Served:
    return drift.drawn(400)


def test_the_table_in_the_docs_has_each_change() -> None:
    _, _, block = drift.PAGE.read_text().partition(drift.BEGIN)
    rows = block.partition(drift.END)[0].strip().splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == [one.name for one in (NOTHING, *CHANGES)]


def test_the_page_is_changed_between_its_markers_alone() -> None:
    page = f"before\n{drift.BEGIN}old\n{drift.END}after\n"
    assert drift.written(page, ["new\n"]) == f"before\n{drift.BEGIN}\nnew\n\n{drift.END}after\n"


def test_changes_are_what_they_are_called() -> None:
    ramp = np.broadcast_to(np.arange(48, dtype=np.uint8)[None, None, :, None] * 5, (2, 48, 48, 1))
    assert drift.darker(20, ramp)[0, 0, [0, 4, 10], 0].tolist() == [0, 0, 30]
    assert drift.shifted(4, ramp)[0, 0, [0, 4, 5, 47], 0].tolist() == [0, 0, 5, 43 * 5]
    step = np.where(ramp > 100, 200, 0).astype(np.uint8)
    assert np.ptp(np.diff(drift.blurred(1.0, step)[0, 0, :, 0].astype(int))) < np.ptp(
        np.diff(step[0, 0, :, 0].astype(int))
    )
    noise = drift.noisy(10.0, np.full((20, 48, 48, 1), 128, np.uint8)).astype(int) - 128
    assert noise.std() == pytest.approx(10, abs=0.2)
    assert abs(noise.mean()) < 0.2


@pytest.mark.parametrize("happy", [0.0, 0.5, 1.0])
def test_a_window_has_the_share_of_happy_faces_and_no_image_twice(served: Served, happy: float) -> None:
    places = drift._places(served.label, 50, happy, np.random.default_rng(1))
    assert len(set(places.tolist())) == 50
    share = np.mean(served.label[places] == EXPRESSIONS.index("happy"))
    assert share >= happy
    assert happy or share < 0.4


def test_it_tells_a_change_from_nothing(served: Served) -> None:
    limits = monitored.calibrate(served.reference, 100, draws=500).limits(0.01)
    found = {one.name: drift.alarms(served, one, limits, 100, 60, 3) for one in (NOTHING, CHANGES[3], CHANGES[-1])}
    assert found["nothing"][0] <= 0.05
    assert found["darker by 40"][0] > 0.9
    assert "brightness" in found["darker by 40"][1]
    share, figures = found["happy faces alone"]
    assert share > 0.9
    assert figures["expressions"] > 50
    assert set(figures) <= set(FIGURES)

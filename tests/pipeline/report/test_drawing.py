"""Where the boxes of a graph stand."""

import pytest

from pipeline.report.drawing import Box, draw
from pipeline.report.stages import Stage


def stage(name: str, *needs: str) -> Stage:
    return Stage(name, "", needs, "up to date", (), None, False, "e2-standard-8", False, None)


HYBRID = (
    stage("validate"),
    stage("preprocess", "validate"),
    stage("train-backbone-a", "preprocess"),
    stage("train-backbone-b", "preprocess"),
    stage("train-hybrid", "preprocess", "train-backbone-a", "train-backbone-b"),
    stage("evaluate", "validate", "preprocess", "train-backbone-a", "train-hybrid"),
)


def boxes(*stages: Stage) -> dict[str, Box]:
    return {box.stage.name: box for box in draw(stages).boxes}


def test_each_stage_stands_right_of_all_that_it_needs() -> None:
    found = boxes(*HYBRID)
    for one in HYBRID:
        for needed in one.needs:
            assert found[needed].x + draw(HYBRID).box < found[one.name].x


def test_no_two_boxes_touch_and_all_are_inside() -> None:
    drawing = draw(HYBRID)
    for box in drawing.boxes:
        assert 0 <= box.x <= drawing.width - drawing.box
        assert 0 <= box.y <= drawing.height - drawing.tall
        for other in drawing.boxes:
            assert box is other or abs(box.x - other.x) > drawing.box or abs(box.y - other.y) > drawing.tall


def test_an_edge_that_a_longer_way_implies_is_left_out() -> None:
    assert len(draw(HYBRID).curves) == 6


@pytest.mark.parametrize("name", ["a", "train-backbone-efficientnet-v2-b3"])
def test_a_box_holds_its_name(name: str) -> None:
    assert draw([stage(name)]).box >= 8 * len(name)


def test_a_chain_of_models_stays_in_its_row() -> None:
    """Each evaluation of a benchmark stands beside its training, whatever the alphabet says."""
    trained = [stage(f"train-{name}", "preprocess") for name in "abc"]
    measured = [stage(f"evaluate-{other}", f"train-{name}") for name, other in zip("abc", "zyx", strict=True)]
    found = boxes(stage("preprocess"), *trained, *measured)
    for name, other in zip("abc", "zyx", strict=True):
        assert found[f"train-{name}"].y == found[f"evaluate-{other}"].y

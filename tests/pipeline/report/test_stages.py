"""States, times and costs of stages, from what DVC says."""

from typing import Any

import pytest

from components.fer.errors import InputError
from pipeline.placement import Table
from pipeline.report.prices import Prices
from pipeline.report.stages import Stage, stages

PRICES = Prices.read()
TABLE = Table.read()


def entry(module: str, deps: list[str], outs: list[Any]) -> dict[str, Any]:
    return {"desc": "What it does.", "cmd": f"python -m components.{module} --x 1", "deps": deps, "outs": outs}


DEFINITION = {
    "validate": entry("validate", ["data.csv"], ["faces.npz", {"audit.json": {"cache": False}}]),
    "train-backbone-a": entry("train_backbone", ["faces.npz", "audit.json", "code.py"], ["model.keras"]),
}


def made(status: dict[str, Any], lock: Any = DEFINITION, seconds: Any = None) -> dict[str, Stage]:
    return {one.name: one for one in stages(DEFINITION, lock, status, seconds or {}, TABLE, PRICES)}


def test_a_stage_needs_those_whose_outputs_it_reads() -> None:
    found = made({})
    assert found["validate"].needs == ()
    assert found["train-backbone-a"].needs == ("validate",)


@pytest.mark.parametrize(
    ("changes", "state", "differing"),
    [
        ([], "up to date", ()),
        ([{"changed outs": {"faces.npz": "not in cache"}}], "ran elsewhere", ("faces.npz",)),
        ([{"changed deps": {"data.csv": "deleted"}}], "ran elsewhere", ("data.csv",)),
        ([{"changed deps": {"data.csv": "deleted", "code.py": "modified"}}], "changed", ("code.py",)),
        ([{"changed deps": {"params.yaml": {"data.md5": "modified"}}}], "changed", ("data.md5",)),
        (["changed command"], "changed", ("command",)),
    ],
)
def test_the_state_is_what_dvc_says(changes: list[Any], state: str, differing: tuple[str, ...]) -> None:
    found = made({"validate": changes})["validate"]
    assert (found.state, found.differing) == (state, differing)


def test_of_a_stage_without_a_lock_nothing_is_known() -> None:
    assert made({"validate": [{"changed deps": {"data.csv": "new"}}]}, lock={})["validate"].state == "no record"


def test_cost_is_time_by_the_price_of_its_pool() -> None:
    found = made({}, seconds={"validate": (3600, False), "train-backbone-a": (1800, True)})
    assert found["validate"].cost == PRICES.on_demand["e2-standard-8"]
    training = found["train-backbone-a"]
    assert training.spot
    assert training.training_alone
    assert training.cost == pytest.approx(0.5 * PRICES.on_demand["g2-standard-8"] * PRICES.spot_share)


def test_what_nobody_measured_costs_nothing_that_is_known() -> None:
    found = made({})["validate"]
    assert found.seconds is None
    assert found.cost is None


def test_each_machine_of_the_pools_has_a_price() -> None:
    assert {pool.machine_type for pool in TABLE.pools.values()} == set(PRICES.on_demand)


def test_a_machine_without_a_price_has_no_cost() -> None:
    unknown = PRICES.model_copy(update={"on_demand": {}})
    assert unknown.per_hour(TABLE.pools["gpu-small"]) is None


def test_a_malformed_price_is_named(tmp_path: Any) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("{currency: USD, as_of: 2025-06-01, region: x, on_demand: {a: -1.0}, spot_share: 0.4}")
    with pytest.raises(
        InputError, match=r"prices .*on_demand\.a: expected .*greater than or equal to 0.* Received: -1"
    ):
        Prices.read(path)

"""How long each stage took, by the lines that DVC prints."""

from pathlib import Path

import yaml

from pipeline import times
from pipeline.times import Clock

LINES = [
    "'data.dvc' didn't change, skipping",
    "Running stage 'validate':",
    "> python -m components.validate",
    "Generating lock file 'dvc.lock'",
    "Updating lock file 'dvc.lock'",
    "Stage 'preprocess' didn't change, skipping",
    "Running stage 'recipes/demo/dvc.yaml:train-hybrid':",
    "Updating lock file 'recipes/demo/dvc.lock'",
    "Running stage 'unchanged':",
    "> python -m components.unchanged",
    "Running stage 'evaluate':",
    "ERROR: failed to reproduce 'evaluate'",
]


def lock(folder: Path, **commands: str) -> None:
    (folder / "results").mkdir(exist_ok=True)
    (folder / "dvc.lock").write_text(yaml.dump({"stages": {name: {"cmd": one} for name, one in commands.items()}}))


def known(folder: Path) -> dict[str, float]:
    return times.of_runs(folder, times.read_lock(folder))


def test_a_stage_lasts_from_its_start_to_its_lock() -> None:
    moments = iter([10.0, 17.25, 20.0, 620.0, 700.0, 703.0, 703.0])
    clock = Clock(now=lambda: next(moments))
    for line in LINES:
        clock.hear(line)
    assert clock.seconds == {"validate": 7.2, "train-hybrid": 600.0, "unchanged": 3.0}, "evaluate did not end"


def test_times_of_other_stages_are_kept(tmp_path: Path) -> None:
    lock(tmp_path, validate="a", evaluate="b")
    times.keep(tmp_path, {"validate": 7.0})
    times.keep(tmp_path, {"evaluate": 9.0})
    assert known(tmp_path) == {"validate": 7.0, "evaluate": 9.0}


def test_a_later_run_that_nobody_timed_has_none(tmp_path: Path) -> None:
    lock(tmp_path, validate="a")
    times.keep(tmp_path, {"validate": 7.0})
    lock(tmp_path, validate="a --other")
    assert known(tmp_path) == {}


def test_nothing_ran_and_nothing_is_written(tmp_path: Path) -> None:
    times.keep(tmp_path, {})
    assert not list(tmp_path.iterdir())
    assert known(tmp_path) == {}

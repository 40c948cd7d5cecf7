"""What a run left, as one tree; what is absent is said."""

import shutil

import pytest

from components.fer.errors import InputError
from pipeline import times
from pipeline.report.absent import Absent
from pipeline.report.answers import Changes
from pipeline.report.stages import Stage
from tests.components.model_store.made import MD5
from tests.pipeline.report.conftest import Ran


def stage(ran: Ran, name: str) -> Stage:
    return next(one for one in ran.gather().stages if one.name == name)


def test_a_whole_run_lacks_nothing(ran: Ran) -> None:
    report = ran.gather()
    assert not any(isinstance(value, Absent) for value in vars(report).values())
    assert [model.stage for model in report.models] == ["evaluate"]
    assert report.models[0].by_copies
    assert list(report.models[0].reliability) == ["as the model says", "after temperature 1.50"]
    assert list(report.histories) == ["train-backbone-a", "train-backbone-b", "train-hybrid"]
    assert report.origin.parameters == {"training.seed": 7}
    assert ("stored version", "commit not known") in report.origin.code
    assert report.origin.packages["keras"] == "3.15.0"


def test_candidate_and_champion_differ_as_the_gate_counted(ran: Ran) -> None:
    report = ran.gather()
    assert isinstance(report.changes, Changes)
    assert not isinstance(report.verdict, Absent)
    gained = sum(one for _, one, _ in report.changes.by_expression)
    assert gained == report.verdict["paired"]["gained"] == 10


def test_digests_are_of_data_outputs_and_candidate(ran: Ran) -> None:
    found = {one.name: (one.kind, one.value) for one in ran.gather().origin.digests}
    assert found["data/fer2013.csv"] == ("md5", MD5)
    assert found["artifacts/train-hybrid/model.keras"] == ("md5", "0123456789abcdef")
    assert next(value for name, value in found.items() if name.endswith(": model")) == ("sha256", "m" * 64)


def test_without_artifacts_counts_are_enough_for_intervals(ran: Ran) -> None:
    whole = ran.gather().models[0]
    shutil.rmtree(ran.folder / "artifacts")
    report = ran.gather()
    assert not report.models[0].by_copies
    assert list(report.models[0].reliability) == ["as the model says"]
    assert isinstance(report.mistakes, Absent)
    assert isinstance(report.changes, Absent)
    for title, expressions in whole.expressions.items():
        assert report.models[0].expressions[title].rows == expressions.rows


def test_a_store_that_is_gone_is_said(ran: Ran) -> None:
    shutil.rmtree(ran.folder / "models")
    report = ran.gather()
    assert isinstance(report.changes, Absent)
    assert "model store" in report.changes.why
    assert not report.origin.packages


def test_a_damaged_champion_is_named(ran: Ran) -> None:
    path = next((ran.folder / "models").glob("*/versions/0001-*/predictions.npz"))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    report = ran.gather()
    assert isinstance(report.changes, Absent)
    assert "predictions.npz is not what was stored" in report.changes.why
    assert report.origin.packages, "of the candidate, which is whole"


def test_without_a_push_there_is_no_verdict(ran: Ran) -> None:
    shutil.rmtree(ran.folder / "results" / "push-model")
    report = ran.gather()
    assert isinstance(report.pushed, Absent)
    assert isinstance(report.verdict, Absent)


def test_a_time_counts_for_the_run_that_it_was_taken_of(ran: Ran) -> None:
    assert stage(ran, "validate").seconds is None
    times.keep(ran.folder, {"validate": 7.3, "train-hybrid": 600.0})
    assert stage(ran, "validate").seconds == 7.3
    assert (stage(ran, "train-hybrid").seconds, stage(ran, "train-hybrid").training_alone) == (600.0, False)
    assert (stage(ran, "train-backbone-a").seconds, stage(ran, "train-backbone-a").training_alone) == (572.2, True)
    lock = ran.folder / "dvc.lock"
    lock.write_text(lock.read_text().replace("--near-correlation", "--far-correlation"))
    assert stage(ran, "validate").seconds is None, "another run's"


def test_images_come_when_they_are_wanted(ran: Ran) -> None:
    for wanted in (False, True):
        report = ran.gather(with_images=wanted)
        assert not isinstance(report.mistakes, Absent)
        assert report.images is wanted
        assert all((one.image is not None) is wanted for one in report.mistakes)


def test_images_that_are_wanted_and_absent_are_an_error(ran: Ran) -> None:
    (ran.folder / "artifacts/validate/faces.npz").unlink()
    with pytest.raises(InputError, match=r"faces .*cannot be read"):
        ran.gather(with_images=True)


def test_a_job_without_results_is_told_what_to_run(ran: Ran) -> None:
    shutil.rmtree(ran.folder / "results")
    with pytest.raises(InputError, match="ferflow run"):
        ran.gather()

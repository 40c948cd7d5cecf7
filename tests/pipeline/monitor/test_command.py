"""The whole look: what is said, what is written, what is proposed; and that no champion moves."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.fer.dataset import EXPRESSIONS
from components.fer.errors import InputError, TemporaryError, UsageError
from components.serve import observations
from pipeline import cli
from pipeline.cluster.settings import Settings
from pipeline.models.place import Place
from pipeline.monitor import command
from pipeline.monitor.command import FOLDER
from tests.components.model_store.made import NAME, make
from tests.pipeline.cluster.kfp_server import Server
from tests.pipeline.monitor.conftest import LOOK, Served


def result(served: Served) -> Any:
    return json.loads((served.folder / FOLDER / "drift.json").read_text())


def proposals(served: Served) -> Any:
    return json.loads((served.folder / FOLDER / "proposal.json").read_text())["proposals"]


def change(served: Served, version: str) -> None:
    """Change a byte of a stored version."""
    file = served.folder / "models" / NAME / "versions" / version / "predictions.npz"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"x")


def ferflow(monkeypatch: pytest.MonkeyPatch, served: Served, *options: str) -> int:
    """The exit code of the command line, for the place of the test."""
    monkeypatch.setattr(Place, "of", lambda *_: served.place)
    try:
        cli.main(["monitor", str(served.log), "--window", "40", *options])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_the_same_images_do_not_drift(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served.observe()
    assert ferflow(monkeypatch, served) == 0
    said = capsys.readouterr().out
    assert f"{NAME} {served.champion}, champion: no drift\n40 of 100 images, " in said
    assert result(served)["alarm"] is False
    assert not (served.folder / FOLDER / "proposal.json").exists()


def test_darker_images_drift_and_propose_a_retraining_and_move_no_champion(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served.observe(darker=40)
    before = served.record
    assert ferflow(monkeypatch, served) == 0, "a drift is a finding, not a fault: a CronJob shall not repeat it"
    said = capsys.readouterr().out
    assert f"{NAME} {served.champion}, champion: DRIFT of inputs\n" in said
    assert "retrain, because inputs drift.\n           ferflow run\n" in said
    found = result(served)
    assert found["alarm"] is True
    (version,) = found["versions"]
    assert version["drifts"] == ["inputs"]
    brightness = version["findings"][0]
    assert (brightness["figure"], brightness["kind"]) == ("brightness", "inputs")
    assert brightness["distance"] > brightness["limit"]
    (proposal,) = proposals(served)
    assert (proposal["version"], proposal["kinds"], proposal["command"]) == (served.champion, ["inputs"], "ferflow run")
    assert proposal["judged"]["window"] == 40
    assert served.record == before


def test_other_answers_to_the_same_images_are_a_drift_of_predictions(served: Served) -> None:
    answers = np.eye(7, dtype=np.float32)[np.full(100, EXPRESSIONS.index("happy"))]
    served.write(observations.of(served.images, answers, served.champion))
    served.monitor()
    assert result(served)["versions"][0]["drifts"] == ["predictions"]
    (proposal,) = proposals(served)
    assert proposal["judged"]["findings"][-1]["window"] == "happy 100.0 %"


def test_the_same_drift_is_the_same_proposal_until_it_cooled_down(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    served.observe(darker=40)
    served.monitor()
    served.monitor()
    (one,) = proposals(served)
    assert one["alarms"] == 2
    assert "now 2 alarms. ferflow run" in capsys.readouterr().out
    served.monitor(replace(LOOK, cool_down=0))
    assert [one["alarms"] for one in proposals(served)] == [2, 1]


def test_versions_are_judged_apart_and_only_the_champions_drift_proposes(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    served.observe(served.earlier, darker=40, right=60)
    served.observe(served.champion)
    served.monitor()
    said = capsys.readouterr().out
    assert f"{served.earlier}: DRIFT of inputs" in said
    assert f"{served.champion}, champion: no drift" in said
    assert [one["drifts"] for one in result(served)["versions"]] == [[], ["inputs"]], "the champion first"
    assert result(served)["alarm"] is False
    assert not (served.folder / FOLDER / "proposal.json").exists()


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def alarmed(served: Served) -> None:
    """The champion's drift is written and proposed for, and its result stands alone."""
    assert [(one["version"], one["drifts"]) for one in result(served)["versions"]] == [(served.champion, ["inputs"])]
    assert result(served)["alarm"] is True
    (proposal,) = proposals(served)
    assert (proposal["version"], proposal["alarms"]) == (served.champion, 1)


def test_a_version_that_the_store_does_not_have_keeps_no_alarm_back(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served.observe(darker=40)
    served.observe("0000-99999999")
    assert ferflow(monkeypatch, served) == 0
    alarmed(served)
    (told,) = warned(caplog)
    assert told == (
        f"{NAME} 0000-99999999 is not judged. version 0000-99999999 of {NAME}: expected one that is stored: "
        f"{served.earlier}, {served.champion}. ferflow models list"
    )


def test_a_version_of_other_data_keeps_no_alarm_back(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As for a day after a promotion on new data: the data at hand are the champion's."""
    other = make(served.store, 50, prepared_md5="0" * 32).id
    served.observe(darker=40)
    served.observe(other)
    assert ferflow(monkeypatch, served) == 0
    alarmed(served)
    (told,) = warned(caplog)
    assert told.startswith(f"{NAME} {other} is not judged. prepared data set {served.folder / command.PREPARED}: ")
    assert told.endswith(". Nothing to mend once it serves no more; without it, look back less far: --hours")
    assert "\n" not in told


def test_a_changed_earlier_version_keeps_no_alarm_back(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served.observe(darker=40)
    served.observe(served.earlier)
    change(served, served.earlier)
    assert ferflow(monkeypatch, served) == 0
    alarmed(served)
    (told,) = warned(caplog)
    assert told.startswith(f"{NAME} {served.earlier} is not judged. ")
    assert f"{served.earlier}: predictions.npz is not what was stored" in told
    assert "\n" not in told


def test_whatever_another_version_does_comes_after_the_champions_alarm(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a fault that nobody foresaw, and a store that goes away."""
    judge = command.judge

    def failing(place: Place, version: str, *rest: Any, **options: Any) -> Any:
        if version != served.champion:
            raise fault
        return judge(place, version, *rest, **options)

    monkeypatch.setattr(command, "judge", failing)
    served.observe(served.earlier)
    served.observe(darker=40)
    fault: Exception = RuntimeError("unforeseen")
    with pytest.raises(RuntimeError, match="unforeseen"):
        served.monitor()
    alarmed(served)
    fault = TemporaryError("store: away")
    served.monitor()
    assert proposals(served)[0]["alarms"] == 2


@pytest.mark.parametrize("hours", [0.5, 24])
def test_too_few_observations_are_said_and_no_fault(
    served: Served, hours: float, capsys: pytest.CaptureFixture[str]
) -> None:
    served.observe(darker=40, ago=2)
    served.monitor(replace(LOOK, hours=hours, window=40 if hours < 1 else 101))
    count = 0 if hours < 1 else 100
    assert f"{served.champion}: too few observations: {count} in {hours:g} hours" in capsys.readouterr().out
    assert not (served.folder / FOLDER).exists()


def test_a_clock_that_is_ahead_is_said(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.observe()
    served.observe(darker=90, ago=-3)
    served.monitor()
    assert "100 observations are up to" in caplog.text
    assert "ahead of this machine's clock, and are left out" in caplog.text
    assert result(served)["versions"][0]["drifts"] == []


def test_without_observations_of_the_champion_it_ends(served: Served) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        served.monitor()
    served.observe(served.earlier)
    with pytest.raises(InputError, match=f"some of the champion, {served.champion}, found those of {served.earlier}"):
        served.monitor()


def test_without_a_champion_it_ends(served: Served) -> None:
    served.observe()
    (served.folder / "models" / NAME / "champion.json").unlink()
    with pytest.raises(InputError, match=r"champion of fer-hybrid: expected one, found none.\nA job makes one"):
        served.monitor()


def test_other_images_than_those_judged_on_are_refused(served: Served, made_csv: Path) -> None:
    served.observe()
    with pytest.raises(InputError, match=f"expected the one that version {served.champion} was judged on"):
        served.monitor(data=made_csv)
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        served.monitor(data=served.folder / "nowhere")


def test_a_changed_champion_is_refused_by_name(served: Served) -> None:
    served.observe()
    change(served, served.champion)
    with pytest.raises(InputError, match=f"{served.champion}: predictions.npz is not what was stored"):
        served.monitor()


@pytest.mark.parametrize(
    ("look", "error", "told"),
    [
        (replace(LOOK, window=51), InputError, "--window 51: expected at most half of the 100 images"),
        (replace(LOOK, window=0), UsageError, "--window: expected a number above 0"),
        (replace(LOOK, hours=float("nan")), UsageError, "--hours: expected a number above 0"),
        (replace(LOOK, cool_down=-1), UsageError, "--cool-down: expected days, 0 or more"),
    ],
)
def test_figures_that_are_none_are_refused(
    served: Served, look: command.Look, error: type[Exception], told: str
) -> None:
    served.observe()
    with pytest.raises(error, match=told):
        served.monitor(look)


@pytest.mark.slow
def test_a_proposal_is_submitted_once(
    served: Served, kfp: Server, ready: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    served.observe(darker=40)
    before, look = served.record, replace(LOOK, submit=True)
    served.monitor(look)
    assert len(kfp.runs) == 1
    served.monitor(look)
    assert len(kfp.runs) == 1
    assert "submitted  before, and not again" in capsys.readouterr().out
    (one,) = proposals(served)
    assert (one["command"], one["alarms"], one["submitted"] is not None) == ("ferflow submit", 2, True)
    assert served.record == before, "what a retraining gives has to pass the gate"


@pytest.mark.slow
def test_what_cannot_be_submitted_stays_to_be_submitted(
    served: Served, kfp: Server, ready: Settings, stored: dict[str, int]
) -> None:
    served.observe(darker=40)
    size, stored["size"] = stored["size"], 1  # another object lies at the data's address
    with pytest.raises(InputError):
        served.monitor(replace(LOOK, submit=True))
    assert proposals(served)[0]["submitted"] is None
    assert len(kfp.runs) == 0
    stored["size"] = size
    served.monitor(replace(LOOK, submit=True))
    assert len(kfp.runs) == 1


def test_nothing_in_the_package_can_promote() -> None:
    """Neither by its own imports, nor by what these import."""
    for path in Path(command.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            assert not any("promotion" in name or name == "pipeline.models.commands" for name in names), path
            assert not (isinstance(node, ast.Attribute) and node.attr in ("move_champion", "add")), path
    loaded = "import sys, pipeline.monitor.command, pipeline.cluster.submission; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert "components.model_store.promotion" not in done.stdout.split()

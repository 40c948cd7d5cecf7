"""docs/runbook.md is carried out: its commands of ferflow, in their order, on stand-ins of Kubeflow and of a bucket."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from components.model_store import promotion
from components.model_store.store import open_store
from pipeline import cli, jobs
from pipeline.cluster.settings import Settings
from pipeline.ir import documents
from pipeline.placement import Table
from tests.components.conftest import Bucket, gs, gs_server  # noqa: F401 -- fixtures
from tests.components.model_store import made
from tests.pipeline.cluster.conftest import committed, kfp, pushed, ready, stored, team  # noqa: F401 -- fixtures
from tests.pipeline.cluster.kfp_server import Server
from tests.pipeline.cluster.test_schedule import Write, scheduled  # noqa: F401 -- a fixture
from tests.test_docs import ROOT, commands

PAGE = ROOT / "docs" / "runbook.md"
STORE, REGISTRY = "gs://PROJECT-models/models", "http://localhost:5000"

ELSEWHERE = {
    "make": "tests/test_docs.py: the verb exists",
    "git": "",
    "kubectl": "needs a cluster",
    "gcloud": "needs a cloud",
    "terraform": "needs its provider",
    "ferflow compile": "tests/pipeline/test_compile.py",
    "ferflow lint": "tests/pipeline/test_lint.py",
    "ferflow images": "tests/containers",
    "ferflow doctor": "tests/pipeline/test_cli.py",
}
"""commands that are not run here, and where they are"""


def ferflow(*words: str) -> int:
    """The exit code of a command of ferflow in this process."""
    try:
        cli.main(list(words))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def of(*verbs: str) -> list[list[str]]:
    """The runbook's commands of ferflow with one of these verbs."""
    found = [shlex.split(line)[1:] for line in commands(PAGE) if line.startswith("ferflow ")]
    return [words for words in found if words[0] in verbs]


def test_every_command_is_run_or_said_not_to_be() -> None:
    here = [f"ferflow {verb}" for verb in ("models", "submit", "watch", "terminate", "schedule")]
    for line in commands(PAGE):
        assert line.startswith((*here, *ELSEWHERE)), line


def test_the_champion_is_restored(
    gs: Bucket,  # noqa: F811
    empty_database: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Three versions were champions; the runbook rolls back, and then promotes another one."""
    store = open_store(f"{gs.address}/models")
    versions = []
    for right in (60, 70, 80):
        versions.append(made.make(store, right).id)
        champion = store.champion(made.NAME)
        promotion.by_gate(store, made.NAME, champion, versions[-1], made.verdict("PROMOTE"))
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    stand_ins = {
        STORE: f"{gs.address}/models",
        REGISTRY: f"sqlite:///{tmp_path}/mlflow.db",
        "VERSION": versions[0],
    }
    champions = []
    for words in of("models"):
        assert ferflow(*(stand_ins.get(word, word) for word in words)) == 0, words
        champion = store.champion(made.NAME)
        assert champion is not None
        champions.append((words[1], versions.index(champion.version)))
    assert champions == [("list", 2), ("rollback", 1), ("verify", 1), ("promote", 0), ("sync", 0)]
    assert "nothing to do" in capsys.readouterr().out.splitlines()[-1]


def test_runs_are_submitted_watched_and_ended(
    kfp: Server,  # noqa: F811
    ready: Settings,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each run that is waited for ends well."""
    found = of("submit", "watch", "terminate")
    run = ""
    for words in found:
        recipe = words[words.index("--recipe") + 1] if "--recipe" in words else None
        graph = documents(jobs.job(recipe)[1].pipeline.read_text())[0]["root"]["dag"]["tasks"]
        kfp.frames = [("SUCCEEDED", dict.fromkeys(graph, "SUCCEEDED"))]
        before = set(kfp.runs)
        assert ferflow(*(run if word == "RUN" else word for word in words)) == 0, (words, capsys.readouterr().err)
        run = next(iter(set(kfp.runs) - before), run)
    assert len(kfp.runs) == sum(words[0] == "submit" for words in found)
    assert kfp.problems == []


def test_the_schedule_is_made(kfp: Server, scheduled: Write) -> None:  # noqa: F811
    for words in of("schedule"):
        assert ferflow(*words) == 0
    assert len(kfp.schedules) == 1


def test_the_bounds_of_the_cost_are_those_of_the_tables() -> None:
    prices = yaml.safe_load((ROOT / "infra" / "prices.yaml").read_text())["on_demand"]
    table = Table.read()
    total = 0.0
    rows = re.findall(r"^\| ([\w-]+)(, twice)? \| ([\w-]+) \| (\d+) \| ([\d.]+) \|$", PAGE.read_text(), re.MULTILINE)
    for name, twice, pool, hours, cost in rows:
        stage = table.stages[name]
        assert (pool, int(hours)) == (stage.pool, stage.timeout / 3600)
        expected = (2 if twice else 1) * int(hours) * prices[table.pools[pool].machine_type]
        assert float(cost) == pytest.approx(expected, abs=0.005)
        total += expected
    on_gpus = {name for name, stage in table.stages.items() if table.pools[stage.pool].accelerators}
    assert {row[0] for row in rows} == on_gpus
    assert f"Together {total:.2f}." in PAGE.read_text()

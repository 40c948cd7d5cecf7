"""A submission is checked, said and sent once; whatever is wrong stops it before anything is sent."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.model_store import provenance
from pipeline import cli, data, images, lint, parameters, repository
from pipeline.cluster import remote, settings
from pipeline.cluster.settings import Settings
from tests import planted
from tests.pipeline.cluster.kfp_server import Fault, Server

ROOT = Path(__file__).resolve().parents[3]


def submit(*arguments: str) -> int:
    """The exit code of `ferflow submit`."""
    try:
        cli.main(["submit", *arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_what_is_sent(kfp: Server, ready: Settings, pushed: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert submit("--set", "training.seed=7", "--set", "training.flip=false") == 0
    (run,) = kfp.runs.values()
    (version,) = kfp.versions.values()
    assert kfp.pipelines[version["pipeline_id"]]["name"] == "ferflow-hybrid"
    assert run["pipeline_version_reference"]["pipeline_version_id"] == version["pipeline_version_id"]
    assert kfp.experiments[run["experiment_id"]]["display_name"] == "ferflow-main"
    assert run["service_account"] == "trainer"
    assert run["runtime_config"]["pipeline_root"] == "gs://team/artifacts"
    given = run["runtime_config"]["parameters"]
    own = parameters.read(ROOT / "params.yaml")
    assert {name: given[name] for name in given if given[name] != own[name]} == {
        "data__path": "gs://team/dvc",
        "registry__store": "gs://team/models",
        "registry__registry": "http://mlflow",
        "registry__provenance": given["registry__provenance"],
        "training__seed": 7,
        "training__flip": False,
    }
    made = provenance.parse(given["registry__provenance"])
    assert made is not None
    assert (made.commit, made.dirty, made.run) == (repository.commit(), False, run["display_name"])
    assert made.images == {name: image for name, image in pushed.items() if name != "resolve"}
    assert made.parameters["training__seed"] == 7
    printed = capsys.readouterr().out
    assert "training.seed: 1 -> 7" in printed
    assert f"{kfp.host}/#/runs/details/{run['run_id']}" in printed
    assert printed.endswith(f"Watch it: ferflow watch {run['run_id']}\n")


def test_a_token_is_neither_said_nor_sent_as_a_value(
    kfp: Server, ready: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for name, value in planted.environment(credentials).items():
        monkeypatch.setenv(name, value)
    kfp.token = planted.environment(credentials)["KFP_EXISTING_TOKEN"]
    assert submit() == 0
    shutil.rmtree(credentials)
    captured = capsys.readouterr()
    made = (kfp.runs, kfp.versions, kfp.pipelines, kfp.experiments, kfp.requests)
    assert planted.leaks(captured.out + captured.err + json.dumps(made), tmp_path) == []


def test_an_address_with_a_password_is_refused_and_not_repeated(
    kfp: Server, ready: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"https://{planted.USER}:{planted.PASSWORD}@mlflow"
    told = refusal(kfp, capsys, "--set", f"registry.registry={address}")
    assert told == (
        "registry.registry: expected an address without a password, for whoever sees a run sees its values.\n"
        "Name a server that asks the cluster's own pods for none: infra/kubernetes/components/mlflow is one.\n"
    )


def test_the_same_graph_is_uploaded_once(kfp: Server, ready: Settings) -> None:
    assert submit() == submit("--set", "training.seed=7") == 0
    assert (len(kfp.pipelines), len(kfp.versions), len(kfp.experiments), len(kfp.runs)) == (1, 1, 1, 2)


@pytest.mark.parametrize("shared", [True, False])
def test_a_namespace_is_named_where_there_are_any(kfp: Server, ready: Settings, shared: bool) -> None:
    """Kubeflow for several users wants it in each request; Kubeflow Pipelines alone refuses it."""
    kfp.shared = shared
    assert submit() == 0
    (experiment,) = kfp.experiments.values()
    assert experiment.get("namespace") == ("team" if shared else None)


MADE = ("pipelines", "pipelines/upload_version", "experiments", "runs")
"""the requests that make something"""


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"done": True},
        {"status": 500},
        {"status": 429, "times": 3},
        {"status": 409, "done": True},
    ],
    ids=["cut in the middle", "answer lost", "500 once", "429 for a while", "somebody else was faster"],
)
def test_a_fault_that_passes_is_not_noticed(kfp: Server, ready: Settings, fault: dict[str, Any]) -> None:
    """Each thing is made once, whether the request was served before its answer got lost or not."""
    made = MADE[:-1] if fault.get("status") == 409 else MADE  # runs of one name may be many: the server takes them all
    kfp.faults = [Fault("POST", f"/apis/v2beta1/{path}", **fault) for path in made]
    kfp.faults.append(Fault("GET", ".*", status=503, times=3))
    assert submit() == 0
    assert [fault.times for fault in kfp.faults] == [0] * len(kfp.faults)
    assert (len(kfp.pipelines), len(kfp.versions), len(kfp.experiments), len(kfp.runs)) == (1, 1, 1, 1)


def refusal(kfp: Server, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The message of a submission that ends with 1 and has changed nothing on the server."""
    assert submit(*arguments) == 1
    assert kfp.changes == []
    return capsys.readouterr().err


def test_data_that_git_does_not_have(
    kfp: Server, ready: Settings, committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (committed / "data.dvc").write_text("outs: []")
    assert refusal(kfp, capsys) == (
        "data.dvc: expected as committed, for the run's lineage names the commit. Found: changes.\n"
        "git commit data.dvc, or git checkout data.dvc\n"
    )


def test_data_that_params_yaml_does_not_name(
    kfp: Server, ready: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    md5 = data.location()[1]
    monkeypatch.setattr(data, "location", lambda: (Path(), "0" * 32))
    assert refusal(kfp, capsys) == (
        f"data.md5: expected that of data.dvc, {'0' * 32}. Received: {md5}\n"
        "Correct params.yaml, then: ferflow compile\n"
    )


def test_data_without_a_name(kfp: Server, ready: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(kfp, capsys, "--recipe", "demo") == (
        "data.md5: expected the md5 of an object on the DVC remote, by which a pod reads the data. Received: ''\n"
        "Give one: --set data.md5=MD5\n"
    )


def test_half_of_the_data(
    kfp: Server, ready: Settings, stored: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    stored["size"] = 150_000_000
    assert refusal(kfp, capsys) == (
        f"data object {data.location()[1]}: expected 301,072,766 bytes on the DVC remote gs://team/dvc, "
        "found 150,000,000.\nRemove it there (an interrupted copy?), then: dvc push data.dvc\n"
    )


def test_an_image_without_digest(
    kfp: Server,
    team: Settings,
    pushed: dict[str, str],
    committed: Path,
    stored: dict[str, int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    images.LOCK.write_text(json.dumps({name: image for name, image in pushed.items() if name != "evaluate"}))
    assert refusal(kfp, capsys) == (
        "images: expected the digest of each component's image. Missing: evaluate.\n"
        "ferflow images --push REGISTRY, which writes infra/images.lock.json\n"
    )


def test_what_lint_finds(
    kfp: Server, ready: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lint, "OUTSIDE", {"evaluate", "validate"})
    assert refusal(kfp, capsys) == (
        "graph hybrid: lint finds 2 errors, first side-effect-cached: evaluate: cache: expected off, received on\n"
        "task.set_caching_options(False) in pipeline/graphs.py (all of them: ferflow lint)\n"
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "registry.store",
            "models",
            "registry.store: expected gs://..., a place which outlives the pod. Received: models",
        ),
        (
            "registry.registry",
            "sqlite:///mlflow.db",
            "registry.registry: expected http..., a place which outlives the pod. Received: sqlite:///mlflow.db",
        ),
    ],
)
def test_results_that_would_be_gone_with_the_pod(
    kfp: Server, ready: Settings, key: str, value: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refusal(kfp, capsys, "--set", f"{key}={value}")
    assert told == f"{message}\nSet {key} under parameters in infra/cluster.yaml.\n"


def test_an_sdk_newer_than_the_server(kfp: Server, ready: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    kfp.version = "2.16.1"
    assert refusal(kfp, capsys) == (
        f"Kubeflow Pipelines at {kfp.host}: expected version 2.17.0 or newer, as the SDK that compiled the graph. "
        "Received: 2.16.1\nUpgrade it; or pin kfp and kfp-kubernetes in pyproject.toml to 2.16.1, then: "
        "make requirements generate\n"
    )


def test_a_server_that_does_not_say_its_version(
    kfp: Server, ready: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    kfp.version = "unknown"
    assert submit() == 0
    assert (
        "Kubeflow Pipelines does not say its version (unknown); it should be 2.17.0 or newer.\n"
        in capsys.readouterr().out
    )


def test_settings_of_other_graphs_are_no_fault(kfp: Server, ready: Settings) -> None:
    """A benchmark pushes nothing: the team's store is not its own."""
    assert submit("--recipe", "demo_benchmark", "--set", f"data.md5={data.location()[1]}") == 0
    (run,) = kfp.runs.values()
    assert not [name for name in run["runtime_config"]["parameters"] if name.startswith("registry")]


def test_a_report_with_faces_is_said_to_go_to_the_bucket(
    kfp: Server, ready: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark = ("--recipe", "demo_benchmark", "--set", f"data.md5={data.location()[1]}")
    assert submit(*benchmark) == 0, "a warning, no refusal"
    (told,) = (line for line in capsys.readouterr().out.splitlines() if "images of the data set" in line)
    assert told == (
        "evaluate.pictures=all: the report shows images of the data set, and goes to gs://team/artifacts, "
        "for whoever sees the run. Without them: evaluate.pictures: standard in params.yaml "
        "(ferflow submit: --set evaluate.pictures=standard)"
    )
    assert submit(*benchmark, "--set", "evaluate.pictures=standard") == 0
    assert "images of the data set" not in capsys.readouterr().out


def test_what_the_cache_probably_has(kfp: Server, ready: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """After a run that succeeded: all but what a new value changes and what follows from that."""
    assert submit() == 0
    (run,) = kfp.runs.values()
    run["state"] = "SUCCEEDED"
    capsys.readouterr()
    assert submit("--set", "backbone_b.epochs=9") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {line[0]: " ".join(line[4:]) for line in lines if line[1:2] and line[3:] and "sha256:" in line[3]} == {
        "validate": f"probably, from {run['display_name']}",
        "preprocess": f"probably, from {run['display_name']}",
        "train-backbone-a": f"probably, from {run['display_name']}",
        "train-backbone-b": "",
        "train-hybrid": "",
        "evaluate": "",
        "push-model": "never used",
    }


def test_no_cluster_yet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The committed settings."""
    monkeypatch.setattr(remote, "in_background", None)
    assert yaml.safe_load(settings.SETTINGS.read_text())["host"] == ""
    assert submit() == 1
    assert capsys.readouterr().err == (
        f"cluster settings {settings.SETTINGS}: host: expected the address of Kubeflow Pipelines, found none.\n"
        "Write it there, e.g. host: https://kubeflow.example.com, or give it with --host.\n"
    )


def test_an_assignment_that_is_none(kfp: Server, ready: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert submit("--set", "training.seed") == 2
    assert capsys.readouterr().err == "--set: expected KEY=VALUE, e.g. training.seed=2. Received: training.seed\n"

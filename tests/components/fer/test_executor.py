"""What Kubeflow is told of a stage's outputs, read as KFP reads it."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as ir

from components.fer import executor, stage
from components.fer.errors import UsageError


class Config(stage.StageConfig):
    """A stage for tests."""

    model_keras: Annotated[Path, stage.Output("Model")]
    """model to write"""
    metrics_json: Annotated[Path, stage.Output("Metrics")]
    """metrics to write"""
    verdict: Annotated[Path, stage.Output("String")]
    """word to write"""


def main(config: Config) -> None:
    with stage.outputs(config) as out:
        out.model_keras.write_text("model")
        out.metrics_json.write_text(json.dumps({"public": {"accuracy": 0.5, "name": "x"}, "n": 3, "ok": True, "t": []}))
        out.verdict.write_text("yes")


@pytest.fixture
def message(tmp_path: Path) -> dict[str, Any]:
    """KFP's ExecutorInput for a run of the stage, as a launcher on a cluster gives it."""

    def artifact(name: str, kind: str) -> dict[str, Any]:
        entry = {"name": name, "uri": f"gs://bucket/{name}", "type": {"schemaTitle": kind}}
        return {"artifacts": [entry]}

    given = {
        "inputs": {},
        "outputs": {
            "parameters": {"verdict": {"outputFile": str(tmp_path / "verdict")}},
            "artifacts": {
                "model_keras": artifact("model_keras", "system.Model"),
                "metrics_json": artifact("metrics_json", "system.Metrics"),
            },
            "outputFile": str(tmp_path / "executor" / "output.json"),
        },
    }
    json_format.ParseDict(given, ir.ExecutorInput())  # strict: the message is KFP's
    return given


@pytest.fixture
def argv(tmp_path: Path) -> Iterator[list[str]]:
    """The stage's own argv; the process' SIGTERM handler is put back after the test."""
    handler = signal.getsignal(signal.SIGTERM)
    outputs = {"model-keras": "model.keras", "metrics-json": "metrics.json", "verdict": "verdict"}
    yield [word for name, file in outputs.items() for word in (f"--{name}", str(tmp_path / file))]
    signal.signal(signal.SIGTERM, handler)


def test_kubeflow_hears_of_each_artifact_and_of_the_numbers(
    message: dict[str, Any], argv: list[str], tmp_path: Path
) -> None:
    stage.run(main, Config, [*argv, executor.OPTION, json.dumps(message)])
    told = json_format.Parse((tmp_path / "executor" / "output.json").read_text(), ir.ExecutorOutput())
    artifacts = {name: json_format.MessageToDict(entry.artifacts[0]) for name, entry in told.artifacts.items()}
    assert artifacts == {
        "model_keras": {"name": "model_keras", "uri": "gs://bucket/model_keras", "metadata": {}},
        "metrics_json": {
            "name": "metrics_json",
            "uri": "gs://bucket/metrics_json",
            "metadata": {"public.accuracy": 0.5, "n": 3.0},
        },
    }


def test_a_desk_asks_for_nothing(argv: list[str], tmp_path: Path) -> None:
    stage.run(main, Config, argv)
    assert (tmp_path / "verdict").read_text() == "yes"
    assert not (tmp_path / "executor").exists()


@pytest.mark.parametrize(
    ("value", "received"), [([], "nothing"), (["{"], "{"), (["{}"], "{}"), (["[]"], "[]"), (['"x"'], '"x"')]
)
def test_anything_else_is_refused_before_the_work(value: list[str], received: str) -> None:
    with pytest.raises(UsageError) as error:
        executor.split(["--a", "1", executor.OPTION, *value])
    assert str(error.value) == (
        f"--executor-input: expected KFP's ExecutorInput as JSON, received {received}.\n"
        "Kubeflow gives it; leave it out elsewhere."
    )

"""The stage: candidates with small models, from files to store, champion and registry."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest

from components.fer import stage
from components.fer.errors import InputError
from components.model_store import manifest
from components.model_store.store import open_store
from components.push_model.config import Config
from components.push_model.run import run
from tests.components.conftest import Bucket
from tests.components.push_model.conftest import MD5, NAME, Workspace

pytestmark = [
    # MLflow's own tables still use what SQLAlchemy 2.1 deprecates.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning"),
    # Keras 3.15 hands TensorFlow's variables to NumPy 2 in the way of NumPy 1.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def story(workspace: Callable[[Path], Workspace], tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Any]:
    """What the outputs said after a first candidate, a worse one (each pushed twice) and a better one."""
    here = workspace(tmp_path_factory.mktemp("story"))
    told = {}
    for chapter, expressions in (("first", 5), ("again", None), ("worse", 4), ("worse again", None), ("better", 7)):
        if expressions is not None:
            here.put_candidate(expressions)
        run(here.config())
        told[chapter] = json.loads((here.folder / "version.json").read_text()) | {
            "gate": json.loads((here.folder / "verdict.json").read_text()),
            "blessing": {path.name: path.read_text() for path in (here.folder / "blessing").iterdir()},
        }
    return here, told


@pytest.mark.slow
def test_a_first_model_better_than_the_majority_class_is_promoted(story: tuple[Workspace, Any]) -> None:
    here, told = story
    first = told["first"]
    version = first["version"]
    assert version.startswith("0001-")
    assert first == {
        "name": NAME,
        "version": version,
        "verdict": "PROMOTE",
        "reasons": [
            "first model: 78.6 % on PublicTest, majority class 35.7 %",
            "42.86 points over always happy, at least 10",
            "over always happy, 60 images gained, 0 lost: p < 0.0001, alpha 0.05 (McNemar's exact test)",
            "least recall 0.0 % (surprise), at least 0 %",
            *(check["words"] for check in first["gate"]["checks"][3:]),
        ],
        "gate": first["gate"],
        "blessing": first["blessing"],
        "champion": version,
        "previous": None,
        "store": f"{here.folder}/models/{NAME}/versions/{version}",
        "registry": f"sqlite:///{here.folder}/mlflow.db",
    }


@pytest.mark.slow
def test_the_same_candidate_again_changes_nothing(story: tuple[Workspace, Any]) -> None:
    _, told = story
    assert told["again"] == told["first"]
    assert told["worse again"] == told["worse"]


@pytest.mark.slow
def test_the_verdict_says_what_was_compared_by_which_rules(story: tuple[Workspace, Any]) -> None:
    here, told = story
    verdicts = [told[chapter]["gate"] for chapter in ("first", "worse", "better")]
    assert [verdict["decision"] for verdict in verdicts] == ["PROMOTE", "REJECT", "PROMOTE"]
    assert [verdict["private_opened"] for verdict in verdicts] == [1, 2, 3]
    first, _, better = verdicts
    assert (first["against"], first["champion"], first["macro_f1"]) == ("majority class", None, None)
    assert better["champion"]["version"] == better["against"] == told["first"]["version"]
    assert better["champion"]["model_sha256"] == first["candidate"]["model_sha256"]
    assert better["candidate"]["data_md5"] == MD5
    assert better["rules"] == vars(here.config().rules())
    assert (better["paired"]["gained"], better["paired"]["lost"]) == (30, 0)
    assert better["macro_f1"]["low"] > 0
    assert [check["name"] for check in better["checks"] if not check["passed"]] == []


@pytest.mark.slow
def test_the_blessing_is_that_of_tfx(story: tuple[Workspace, Any]) -> None:
    _, told = story
    assert [set(told[chapter]["blessing"]) for chapter in ("first", "worse", "better")] == [
        {"BLESSED", "properties.json"},
        {"NOT_BLESSED", "properties.json"},
        {"BLESSED", "properties.json"},
    ]
    assert told["better"]["blessing"]["BLESSED"] == ""
    assert json.loads(told["better"]["blessing"]["properties.json"]) == {
        "blessed": 1,
        "current_model": told["better"]["store"],
        "current_model_id": 3,
        "baseline_model": told["first"]["store"],
        "baseline_model_id": 1,
    }


@pytest.mark.slow
def test_a_worse_model_is_stored_and_not_promoted(story: tuple[Workspace, Any]) -> None:
    _, told = story
    assert told["worse"]["verdict"] == "REJECT"
    assert told["worse"]["version"].startswith("0002-")
    assert (told["worse"]["champion"], told["worse"]["previous"]) == (told["first"]["version"], None)


@pytest.mark.slow
def test_a_better_model_follows_the_champion(story: tuple[Workspace, Any]) -> None:
    here, told = story
    better = told["better"]
    assert better["verdict"] == "PROMOTE"
    assert better["reasons"][0] == f"100.0 % on PublicTest, champion {told['first']['version']} 78.6 %"
    assert (better["champion"], better["previous"]) == (better["version"], told["first"]["version"])
    record = json.loads((here.folder / "models" / NAME / "champion.json").read_text())
    assert [move["version"] for move in record["history"]] == [told["first"]["version"], better["version"]]


@pytest.mark.slow
def test_a_version_is_whole_and_says_where_it_comes_from(story: tuple[Workspace, Any]) -> None:
    _, told = story
    folder = Path(told["worse"]["store"])
    manifest.verify(folder, manifest.read(folder), str(folder))
    files = {
        "model.keras",
        "metrics.json",
        "predictions.npz",
        "lineage.json",
        "saved_model/saved_model.pb",
        "model.tflite",
    }
    assert files <= manifest.read(folder).files.keys()
    lineage = json.loads((folder / "lineage.json").read_text())
    assert lineage["data_md5"] == MD5
    assert lineage["model_sha256"] == manifest.read(folder).files["model.keras"].sha256
    assert lineage["parameter_count"] == 256 * 7
    assert lineage["verdict"]["decision"] == "REJECT"
    assert lineage["provenance"] is None


@pytest.mark.slow
def test_the_saved_model_answers_as_the_model_did(story: tuple[Workspace, Any]) -> None:
    import tensorflow as tf

    here, told = story
    served = tf.saved_model.load(Path(told["better"]["store"]) / "saved_model").signatures["serve"]
    images = here.data["public"].images[:5]
    (answer,) = served(tf.constant(images)).values()
    stored = np.load(here.folder / "predictions.npz")["probabilities"][:5]
    np.testing.assert_allclose(answer.numpy(), stored, atol=1e-6)


@pytest.mark.slow
def test_the_registry_shows_what_the_store_has(story: tuple[Workspace, Any]) -> None:
    here, told = story
    client = mlflow.MlflowClient(here.config().registry, here.config().registry)
    champion = client.get_model_version_by_alias(NAME, "champion")
    assert champion.tags["store_version"] == told["better"]["version"]
    assert client.get_model_version_by_alias(NAME, "previous").tags["store_version"] == told["first"]["version"]
    assert client.get_run(champion.run_id).data.metrics == {"public.accuracy": 1.0, "temperature": 1.1}
    verdicts = {found.tags["verdict"] for found in client.search_model_versions(f"name = '{NAME}'")}
    assert verdicts == {"PROMOTE", "REJECT"}


@pytest.mark.slow
def test_a_first_model_no_better_than_the_majority_class_is_rejected(
    here: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ferflow")
    here.put_candidate(0)
    run(here.config())
    told = json.loads((here.folder / "version.json").read_text())
    assert (told["verdict"], told["champion"], told["previous"]) == ("REJECT", None, None)
    assert not (here.folder / "models" / NAME / "champion.json").exists()
    assert caplog.messages[-1].startswith(
        f"fer-hybrid {told['version']}: REJECT (first model: 35.7 % on PublicTest, majority class 35.7 %; "
        "not met: 0.00 points over always happy, at least 10; not met: over always happy, 0 images gained, 0 lost: "
        "p = 1.0000, alpha 0.05 (McNemar's exact test)"
    )


@pytest.mark.slow
def test_other_rules_judge_the_same_candidate_again(here: Workspace) -> None:
    here.put_candidate(5)
    run(here.config(class_floor=0.1))
    told = json.loads((here.folder / "version.json").read_text())
    assert (told["verdict"], told["champion"]) == ("REJECT", None)
    assert told["reasons"][1] == "not met: recall of surprise 0.0 %, neutral 0.0 %, at least 10 %"
    run(here.config())
    again = json.loads((here.folder / "version.json").read_text())
    assert (again["version"], again["verdict"], again["champion"]) == (told["version"], "PROMOTE", told["version"])


@pytest.mark.slow
def test_the_champion_under_other_rules_is_held(here: Workspace) -> None:
    """It was promoted by rules that are no longer asked for, and is compared with itself by those that are."""
    here.put_candidate(5)
    run(here.config())
    first = json.loads((here.folder / "version.json").read_text())
    assert first["verdict"] == "PROMOTE"
    run(here.config(class_floor=0.1))
    again = json.loads((here.folder / "version.json").read_text())
    assert (again["version"], again["verdict"], again["champion"]) == (first["version"], "HOLD", first["version"])
    assert again["reasons"][0] == f"the same model as champion {first['version']}"
    assert json.loads((here.folder / "verdict.json").read_text())["rules"]["class_floor"] == 0.1
    assert (here.folder / "blessing" / "NOT_BLESSED").exists()


@pytest.mark.slow
def test_a_champion_of_other_expressions_is_not_compared_with(here: Workspace) -> None:
    here.put_candidate(6)
    run(here.config())
    here.put_candidate(7, wide=8)
    with pytest.raises(
        InputError, match="expected answers of 8 expressions, as the candidate's are, received 7"
    ) as told:
        run(here.config())
    assert "registry.name" in str(told.value)
    run(here.config(name="fer-eight"))
    assert json.loads((here.folder / "version.json").read_text())["verdict"] == "PROMOTE"


@pytest.mark.slow
def test_the_champions_model_with_other_metrics_is_held(here: Workspace) -> None:
    here.put_candidate(7)
    run(here.config())
    (here.folder / "metrics.json").write_text('{"public": {"accuracy": 1.0}, "resamples": 1}')
    run(here.config())
    told = json.loads((here.folder / "version.json").read_text())
    assert told["verdict"] == "HOLD"
    assert told["reasons"][0] == f"the same model as champion {told['champion']}"
    verdict = json.loads((here.folder / "verdict.json").read_text())
    assert verdict["paired"] is None
    assert [(check["name"], check["passed"]) for check in verdict["checks"]] == [("saved_model", True), ("light", True)]


@pytest.mark.slow
def test_a_version_that_would_serve_another_model_is_rejected(
    here: Workspace, light_model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A better candidate, of which what serves is made wrongly, is stored, and the champion goes on serving."""
    from components.push_model import exported

    here.put_candidate(4)
    run(here.config())
    champion = json.loads((here.folder / "version.json").read_text())["version"]
    here.put_candidate(5)
    monkeypatch.setattr(exported, "light", lambda *arguments: arguments[-1].write_bytes(light_model))
    run(here.config())
    told = json.loads((here.folder / "version.json").read_text())
    assert (told["verdict"], told["champion"]) == ("REJECT", champion)
    assert told["reasons"][1].startswith("not met: light model, 42 images at once: ")
    assert (here.folder / "blessing" / "NOT_BLESSED").exists()


PROVENANCE = {
    "commit": "3f6c48d",
    "dirty": True,
    "images": {"push-model": "registry/ferflow-push-model@sha256:00"},
    "parameters": {"training__seed": 1},
    "run": "fer-hybrid-20260102",
}


@pytest.mark.slow
def test_a_bucket_is_a_store_as_a_folder_is(here: Workspace, gs: Bucket) -> None:
    config = here.config(store=f"{gs.address}/models", provenance=json.dumps(PROVENANCE))
    told = []
    for expressions in (5, 7):
        here.put_candidate(expressions)
        run(config)
        told.append(json.loads((here.folder / "version.json").read_text()))
    first, better = told
    assert (first["verdict"], first["champion"]) == ("PROMOTE", first["version"])
    assert (better["verdict"], better["champion"]) == ("PROMOTE", better["version"])
    assert better["previous"] == first["version"]
    assert better["reasons"][0] == f"100.0 % on PublicTest, champion {first['version']} 78.6 %"
    store = open_store(config.store)
    assert json.loads(store.read(NAME, better["version"], "lineage.json"))["provenance"] == PROVENANCE
    shown = mlflow.MlflowClient(config.registry, config.registry).get_model_version_by_alias(NAME, "champion")
    assert shown.source == better["store"] == store.versions(NAME)[1].address
    assert (shown.tags["commit"], shown.tags["run"]) == ("3f6c48d-dirty", "fer-hybrid-20260102")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"store": "s3://bucket/models"}, "model store s3://bucket/models: expected a folder or gs://BUCKET/PREFIX"),
        ({"provenance": "{}"}, "provenance: expected JSON with commit, dirty, images, parameters and run, received"),
        ({"registry": "mlruns"}, "registry mlruns: expected an MLflow tracking address"),
        ({"model_keras": Path("nowhere.keras")}, "model nowhere.keras: no such file.\nTrain it: dvc repro"),
    ],
)
def test_bad_configuration_is_refused_before_anything_is_read(
    here: Workspace, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as raised:
        run(here.config(**changes))
    assert str(raised.value).startswith(said)
    assert not (here.folder / "models").exists()


@pytest.mark.parametrize("name", ["", "Fer", "../fer", "fer_hybrid", "7fer", "a" * 64])
def test_a_name_that_is_none_is_wrong_usage(here: Workspace, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [
        part
        for key, value in here.config().model_dump().items()
        for part in (f"--{key.replace('_', '-')}", name if key == "name" else str(value))
    ]
    with pytest.raises(SystemExit) as raised:
        stage.parse(Config, argv)
    assert raised.value.code == 2
    assert "name" in capsys.readouterr().err

"""infra/cluster.yaml is read strictly."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.fer.errors import InputError
from pipeline.cluster import settings
from pipeline.cluster.settings import Settings


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("host", "kubeflow", "host: expected https://HOST or http://HOST. Received: 'kubeflow'"),
        ("hsot", "x", "hsot: expected no such key. Received: 'x'"),
        ("namespace", None, "namespace: expected a value, found none."),
        ("data", "bucket", "data: expected gs://BUCKET/PREFIX or s3://BUCKET/PREFIX. Received: 'bucket'"),
        (
            "pipeline_root",
            "/data",
            "pipeline_root: expected gs://BUCKET/PREFIX or s3://BUCKET/PREFIX. Received: '/data'",
        ),
        ("credentials", "password", "credentials: expected 'google' or 'none'. Received: 'password'"),
        ("parameters", [], "parameters: expected a valid dictionary. Received: []"),
    ],
)
def test_a_fault_is_named(key: str, value: Any, problem: str, team: Settings) -> None:
    document = {**team.model_dump(), key: value}
    if value is None:
        del document[key]
    settings.SETTINGS.write_text(yaml.safe_dump(document))
    with pytest.raises(InputError) as error:
        settings.read()
    assert str(error.value) == f"cluster settings {settings.SETTINGS}: {problem}"


def test_another_host(team: Settings) -> None:
    assert settings.read("https://other/pipeline/") == team.model_copy(update={"host": "https://other/pipeline"})


def test_another_host_that_is_none(team: Settings) -> None:
    with pytest.raises(InputError) as error:
        settings.read("other")
    assert (
        str(error.value)
        == "cluster settings with --host: host: expected https://HOST or http://HOST. Received: 'other'"
    )


def test_the_committed_settings_are_well_formed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.read("http://localhost:8080").namespace == "kubeflow"


def test_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SETTINGS", tmp_path / "infra" / "cluster.yaml")
    with pytest.raises(InputError) as error:
        settings.read()
    assert str(error.value) == (
        f"cluster settings {settings.SETTINGS}: expected a file, found none.\ngit checkout infra/cluster.yaml"
    )

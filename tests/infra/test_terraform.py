"""infra/terraform, as far as it can be evaluated without a cloud: values, rights, and what ferflow reads of it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.check.program import REPOSITORY
from pipeline import strict_yaml
from pipeline.cluster.settings import Settings
from pipeline.placement import Table
from tests.infra.conftest import Console

TERRAFORM = REPOSITORY / "infra" / "terraform"
ENVIRONMENTS = sorted(path.stem for path in (TERRAFORM / "environments").glob("*.tfvars"))


@pytest.fixture
def variables(tmp_path: Path) -> Path:
    """The variables alone, which need no provider."""
    shutil.copy(TERRAFORM / "variables.tf", tmp_path)
    return tmp_path


def test_there_are_three_environments() -> None:
    assert ENVIRONMENTS == ["dev", "production", "staging"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_values_of_an_environment_pass_the_checks(name: str, variables: Path, console: Console) -> None:
    file = f"-var-file={TERRAFORM / 'environments' / name}.tfvars"
    assert console(variables, "var.environment", file) == name


def test_production_cannot_be_deleted_by_mistake(variables: Path, console: Console) -> None:
    file = f"-var-file={TERRAFORM / 'environments' / 'production.tfvars'}"
    assert console(variables, "[var.deletion_protection, var.model_retention_days]", file) == [True, 90]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("project", "Not A Project"),
        ("environment", "test"),
        ("region", "us-central1-a"),
        ("zones", ["europe-west4-a"]),
        ("gpu_zones", []),
        ("authorized_networks", {"everybody": "0.0.0.0/0"}),
        ("release_channel", "RAPID"),
        ("kubeflow_host", "kubeflow.example.com"),
        ("model_name", "FER Hybrid"),
        ("model_retention_days", 91),
        ("artifact_days", 1),
        ("billing_account", "my account"),
        ("monthly_budget", 0.5),
        ("budget_emails", ["nobody"]),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: Any, variables: Path, console: Console) -> None:
    file = f"-var-file={TERRAFORM / 'environments' / 'dev.tfvars'}"
    with pytest.raises(RuntimeError, match=f"{name}: expected"):
        console(variables, f"var.{name}", file, **{name: value})


def settings(console: Console, output: str) -> str:
    buckets = {use: f"p-{use}" for use in ("data", "artifacts", "models", "checkpoints")}
    found = console(
        TERRAFORM / "settings",
        output,
        host="https://kubeflow.example.com",
        namespace="team",
        buckets=buckets,
        model="fer-hybrid",
        registry="http://mlflow.team:5000",
    )
    assert isinstance(found, str)
    return found


def test_ferflow_reads_what_terraform_gives(console: Console) -> None:
    """Every key of infra/cluster.yaml, and none that it does not have."""
    text = settings(console, "local.cluster_yaml")
    found = strict_yaml.checked(Settings, yaml.safe_load(text), "terraform's output")
    assert (found.host, found.namespace) == ("https://kubeflow.example.com", "team")
    assert found.parameters["registry.store"] == "gs://p-models/models"
    assert found.service_account == "ferflow-run"
    committed = yaml.safe_load((REPOSITORY / "infra" / "cluster.yaml").read_text())
    assert yaml.safe_load(text).keys() == committed.keys()


def test_the_server_is_told_the_same_store(console: Console) -> None:
    text = settings(console, "local.places_env")
    assert text == "MODEL_STORE=gs://p-models/models\nMODEL_NAME=fer-hybrid\n"
    names = {line.partition("=")[0] for line in text.splitlines()}
    committed = REPOSITORY / "infra" / "kubernetes" / "overlays" / "gke" / "places.env"
    lines = [line for line in committed.read_text().splitlines() if not line.startswith("#")]
    assert names == {line.partition("=")[0] for line in lines}


@pytest.fixture(scope="module")
def rights(console: Console) -> dict[str, dict[str, str]]:
    """Role by bucket, by account."""
    stages = sorted(Table.read().stages)
    found = console(TERRAFORM / "rights", "local.of_accounts", stages=stages, stage_identities=True)
    assert isinstance(found, dict)
    return found


READER, WRITER = "roles/storage.objectViewer", "roles/storage.objectUser"


def test_every_stage_has_an_identity(rights: dict[str, dict[str, str]]) -> None:
    assert rights.keys() == {*Table.read().stages, "run", "serve", "follow"}


def test_push_model_alone_writes_models(rights: dict[str, dict[str, str]]) -> None:
    assert {account for account, buckets in rights.items() if buckets.get("models") == WRITER} == {"push-model"}


def test_nobody_writes_data_and_only_its_readers_read_it(rights: dict[str, dict[str, str]]) -> None:
    assert {account: buckets["data"] for account, buckets in rights.items() if "data" in buckets} == {
        "validate": READER,
        "resolve": READER,
    }


def test_the_server_reads_models_and_nothing_else(rights: dict[str, dict[str, str]]) -> None:
    assert rights["serve"] == rights["follow"] == {"models": READER}


def test_without_identities_for_stages_a_run_has_their_rights(console: Console) -> None:
    found = console(TERRAFORM / "rights", "local.of_accounts", stages=["validate"], stage_identities=False)
    assert found.keys() == {"run", "serve", "follow"}
    assert found["run"] == {"artifacts": WRITER, "data": READER, "checkpoints": WRITER, "models": WRITER}

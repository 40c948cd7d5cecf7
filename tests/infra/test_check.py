"""`make infra-check` finds nothing in the repository, and each of its tools finds a planted fault."""

from pathlib import Path

import pytest

from infra.check.__main__ import CHECKS, main, outcome
from infra.check.program import REPOSITORY, MissingError, find
from infra.check.scan import Accepted
from pipeline import strict_yaml

pytestmark = pytest.mark.slow

PODS = "infra/kubernetes/components/mlflow/mlflow.yaml"
WORKFLOW = ".github/workflows/check.yml"

FAULTS: dict[str, tuple[str, str, str, str, str]] = {
    # what it is: check, file, text there, text instead, what the check then says
    "spaces": ("terraform fmt", "infra/terraform/network.tf", "  name  ", "   name ", "network.tf"),
    "a bracket": (
        "python-hcl2",
        "infra/terraform/budget.tf",
        "budget_filter {",
        "budget_filter {{",
        "budget.tf: expected HCL",
    ),
    "no description": (
        "python-hcl2",
        "infra/terraform/variables.tf",
        '  description = "region of cluster, buckets and images, e.g. us-central1"\n',
        "",
        "variable region: expected a description",
    ),
    "a file that is not there": (
        "kubectl kustomize",
        "infra/kubernetes/base/kustomization.yaml",
        "network.yaml",
        "networks.yaml",
        "overlays/gke: expected what kustomize takes",
    ),
    "a misspelt field": ("kubernetes-validate", PODS, "strategy:", "strategie:", "strategie"),
    "a wrong type": ("kubernetes-validate", PODS, "replicas: 1", 'replicas: "1"', "is not of type"),
    "a misspelt field of a served pod": (
        "kubernetes-validate",
        "infra/kubernetes/components/serving/served.yaml",
        "readinessProbe:",
        "readyProbe:",
        "pod/ferflow-predictor",
    ),
    "a secret": (
        "no secrets",
        "infra/kubernetes/base/accounts.yaml",
        "---\n# The pods of a run.",
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {key: abc}\n---\n# The pods of a run.",
        "Secret key: expected none",
    ),
    "a public bucket": (
        "checkov",
        "infra/terraform/storage.tf",
        'public_access_prevention    = "enforced"',
        'public_access_prevention    = "inherited"',
        "CKV_GCP_114",
    ),
    "privileges": (
        "checkov",
        PODS,
        "allowPrivilegeEscalation: false",
        "allowPrivilegeEscalation: true",
        "CKV_K8S_20 Deployment.ferflow.mlflow",
    ),
    "an accepted finding that is gone": (
        "checkov",
        "infra/check/accepted.yaml",
        "  - check: CKV_GCP_21\n",
        "  - check: CKV_GCP_999\n",
        "CKV_GCP_999 google_container_cluster.this: expected a finding",
    ),
    "a base without a version": (
        "hadolint",
        "components/validate/Dockerfile",
        "FROM ${BASE} AS image",
        "FROM debian AS image",
        "DL3006",
    ),
    "a variable that may be split": (
        "shellcheck",
        ".ci/engine",
        "set -euo pipefail",
        "set -euo pipefail\nls $1",
        "SC2086",
    ),
    "an unknown event": ("actionlint", WORKFLOW, "pull_request:", "pull_requests:", "unknown Webhook event"),
    "an action by its tag": (
        "zizmor",
        WORKFLOW,
        "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2",
        "actions/checkout@v4",
        "unpinned-uses",
    ),
    "a stranger's text in a script": (
        "zizmor",
        WORKFLOW,
        "- run: make lint",
        "- run: echo ${{ github.event.pull_request.title }}",
        "template-injection",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, copy: Path) -> None:
    name, file, before, after, expected = FAULTS[fault]
    path = copy / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    word, lines = outcome(CHECKS[name], copy)
    if word == "not looked at":
        pytest.skip(lines[0])
    assert word == "faults"
    assert expected in "\n".join(lines)


@pytest.mark.parametrize("check", CHECKS)
def test_the_repository_has_no_fault(check: str) -> None:
    word, lines = outcome(CHECKS[check], REPOSITORY)
    if word == "not looked at":
        pytest.skip(lines[0])
    assert (word, lines) == ("ok", [])


def test_every_tool_has_a_planted_fault() -> None:
    """But terraform validate, which needs its providers."""
    assert {fault[0] for fault in FAULTS.values()} == CHECKS.keys() - {"terraform validate"}


def test_a_fault_gives_exit_code_1(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("infra.check.__main__.CHECKS", {"no secrets": CHECKS["no secrets"]})
    assert main(copy) == 0
    monkeypatch.setattr("infra.check.__main__.CHECKS", {"no secrets": lambda _: ["one"]})
    assert main(copy) == 1
    assert capsys.readouterr().out == "no secrets           ok\nno secrets           faults\n    one\n"


def test_a_missing_program_is_said_and_is_no_fault(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: Path) -> list[str]:
        find("no-such-program", "get it there")
        return []

    assert outcome(absent, copy) == ("not looked at", ["no-such-program is not at hand: get it there"])
    with pytest.raises(MissingError):
        absent(copy)


def test_every_accepted_finding_has_its_reason() -> None:
    found = strict_yaml.read(Accepted, REPOSITORY / "infra" / "check" / "accepted.yaml", "accepted findings").accepted
    assert len({(entry.check, entry.resource) for entry in found}) == len(found)
    # There is no second list: checkov's own comments accept nothing.
    for folder in ("infra", "components", ".github"):
        for path in (REPOSITORY / folder).rglob("*"):
            if path.suffix in (".tf", ".yaml", ".yml") or path.name == "Dockerfile":
                assert "checkov:skip" not in path.read_text(), path

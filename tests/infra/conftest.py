"""A copy of what `make infra-check` looks at, Terraform's console, and a real Kubernetes where one is at hand."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.check import manifests
from infra.check.program import REPOSITORY, MissingError, find
from infra.check.terraform import NO_SETTINGS

Console = Callable[..., Any]
Kubectl = Callable[..., subprocess.CompletedProcess[str]]

LOCAL = "local"
"""the overlay for a cluster on one machine, which has nothing but Kubernetes' own kinds"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that the checks look at, to plant faults in."""
    for name in ("infra", ".github", ".ci"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns(".terraform", "__pycache__"))
    for path in (REPOSITORY / "components").glob("*/Dockerfile"):
        (tmp_path / "components" / path.parent.name).mkdir(parents=True)
        shutil.copy(path, tmp_path / "components" / path.parent.name)
    return tmp_path


@pytest.fixture(scope="session")
def console() -> Console:
    """What Terraform makes of an expression in a folder that has no provider, with values for its variables."""
    try:
        terraform = find("terraform", "https://developer.hashicorp.com/terraform/install")
    except MissingError as error:
        pytest.skip(str(error))

    def evaluate(folder: Path, expression: str, *options: str, **variables: Any) -> Any:
        given = [f"-var={key}={v if isinstance(v, str) else json.dumps(v)}" for key, v in variables.items()]
        done = subprocess.run(
            [terraform, "console", *options, *given],
            cwd=folder,
            env={**os.environ, **NO_SETTINGS, "NO_COLOR": "1"},
            input=f"jsonencode({expression})\n",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or "Error" in done.stderr:
            raise RuntimeError(" ".join((done.stdout + done.stderr).replace("│", "").split()))
        return json.loads(json.loads(done.stdout))

    return evaluate


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """kubectl on a cluster that is there for tests: FERFLOW_KUBECTL, as `kubectl --context kind-ferflow`."""
    command = os.environ.get("FERFLOW_KUBECTL")
    if not command:
        pytest.skip("no Kubernetes is at hand: FERFLOW_KUBECTL='kubectl --context CONTEXT' names one that is for tests")

    def run(*words: str, given: Any = None) -> subprocess.CompletedProcess[str]:
        text = None if given is None else yaml.safe_dump_all(given if isinstance(given, list) else [given])
        return subprocess.run([*shlex.split(command), *words], input=text, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def cluster(kubectl: Kubectl) -> Iterator[Kubectl]:
    """The overlay `local` on that cluster, which keeps it where it had it; the policy in the version that it knows."""
    served = kubectl("api-resources", "--api-group=admissionregistration.k8s.io", "--no-headers").stdout
    found = [line.split()[1] for line in served.splitlines() if line.startswith("mutatingadmissionpolicies ")]
    if not found:
        pytest.skip("this Kubernetes has no MutatingAdmissionPolicy: expected 1.36, or its feature gate")
    objects = manifests.rendered(REPOSITORY, LOCAL)
    was_there = kubectl("get", "namespace", "ferflow").returncode == 0
    for entry in objects:
        if entry["kind"].startswith("MutatingAdmissionPolicy"):
            entry["apiVersion"] = found[0]
    applied = kubectl("apply", "-f", "-", given=objects)
    assert applied.returncode == 0, applied.stderr
    yield kubectl
    if not was_there:
        kubectl("delete", "-f", "-", "--wait=true", "--timeout=120s", given=objects)

"""infra/local/cluster.sh, up to its calls: programs of the same names note what they are asked for."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from infra.check.manifests import KUBERNETES
from infra.check.program import REPOSITORY
from pipeline.placement import Table
from tests.infra.test_manifests import rendered, templates

SCRIPT = REPOSITORY / "infra" / "local" / "cluster.sh"

PROGRAM = """#!/bin/sh
echo "{name} $*" >>"$CALLS"
{says}
"""


def run(folder: Path, *arguments: str, **says: str) -> tuple[int, list[str], str]:
    """Exit code, calls and errors of the script among programs that say so."""
    programs = folder / "bin"
    programs.mkdir()
    for name, line in says.items():
        (programs / name).write_text(PROGRAM.format(name=name, says=line))
        (programs / name).chmod(0o755)
    for name in ("bash", "dirname", "grep", "sh"):
        (programs / name).symlink_to(str(shutil.which(name)))
    calls = folder / "calls"
    calls.touch()
    environment = {"PATH": str(programs), "CALLS": str(calls), "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run([SCRIPT, *arguments], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, calls.read_text().splitlines(), done.stderr


INSTALLED = [
    "apply -k github.com/kubeflow/pipelines/manifests/kustomize/cluster-scoped-resources?ref=2.17.0",
    "wait --for condition=established --timeout 60s crd/workflows.argoproj.io",
    "apply -k github.com/kubeflow/pipelines/manifests/kustomize/env/platform-agnostic?ref=2.17.0",
    "apply -k infra/kubernetes/overlays/local",
    "-n kubeflow rollout status deployment/ml-pipeline --timeout 600s",
]


def test_without_a_cluster_one_is_made_with_the_images_at_hand(tmp_path: Path) -> None:
    images = "echo ferflow-validate:0.1.0; echo ferflow-evaluate:0.1.0"
    code, calls, _ = run(tmp_path, kubectl="", kind="", docker=images)
    assert code == 0
    assert calls == [
        "kind get clusters",
        "kind create cluster --config infra/local/kind.yaml",
        "docker image ls --filter reference=ferflow-* --format {{.Repository}}:{{.Tag}}",
        "kind load docker-image --name ferflow ferflow-validate:0.1.0 ferflow-evaluate:0.1.0",
        *(f"kubectl --context kind-ferflow {words}" for words in INSTALLED),
    ]


def test_a_cluster_that_is_there_is_taken_and_missing_images_are_said(tmp_path: Path) -> None:
    code, calls, said = run(tmp_path, kubectl="", kind="echo ferflow", docker="")
    assert code == 0
    assert [call for call in calls if call.startswith("kind ")] == ["kind get clusters"]
    assert said == "The Docker engine has no image of a stage, so none is loaded: make images\n"


def test_a_cluster_of_ones_own_needs_kubectl_alone(tmp_path: Path) -> None:
    code, calls, _ = run(tmp_path, "team", kubectl="")
    assert (code, calls) == (0, [f"kubectl --context team {words}" for words in INSTALLED])


@pytest.mark.parametrize("absent", ["kubectl", "docker", "kind"])
def test_a_program_that_is_not_at_hand_is_named_before_anything_is_done(absent: str, tmp_path: Path) -> None:
    code, calls, said = run(tmp_path, **{name: "" for name in ("kubectl", "docker", "kind") if name != absent})
    assert (code, calls) == (1, [])
    assert said.startswith(f"{absent} is not at hand: ")


def test_a_fault_ends_it(tmp_path: Path) -> None:
    code, calls, _ = run(tmp_path, "team", kubectl="exit 1")
    assert (code, len(calls)) == (1, 1)


def test_release_and_node_are_those_that_the_rest_is_made_for() -> None:
    """Kubeflow of the SDK's version; a Kubernetes that the manifests are checked for, by digest; a node of a pool."""
    (node,) = yaml.safe_load((REPOSITORY / "infra" / "local" / "kind.yaml").read_text())["nodes"]
    assert node["image"].startswith(f"kindest/node:v{KUBERNETES}.")
    assert "@sha256:" in node["image"]
    assert "kfp==2.17.0" in (REPOSITORY / "pyproject.toml").read_text()
    pools = {labels["ferflow/pool"] for labels, _ in templates(rendered("local"))}
    assert [node["labels"]] == [Table.read().pools[pool].selector for pool in pools]

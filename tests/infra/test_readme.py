"""infra/README.md tells the truth: its commands exist, its tables are those of the files."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from infra.check.program import REPOSITORY
from pipeline import cli
from pipeline.placement import Table
from tests.infra.conftest import Console
from tests.test_docs import commands

README = REPOSITORY / "infra" / "README.md"
TERRAFORM = REPOSITORY / "infra" / "terraform"


def table(heading: str) -> dict[str, list[str]]:
    """Rows of the first table below a heading, by their first cell."""
    section = README.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {cells[0]: cells[1:] for cells in rows[2:]}


def test_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    outputs = set(re.findall(r'^output "(\w+)"', (TERRAFORM / "outputs.tf").read_text(), re.MULTILINE))
    for line in commands(README):
        match shlex.split(line):
            case ["make", verb, *_]:
                assert verb in targets, line
            case ["ferflow", *arguments]:
                cli.parser().parse_args(arguments)
            case ["kubectl", "apply", "-k", overlay]:
                assert (REPOSITORY / overlay / "kustomization.yaml").is_file(), line
            case ["kubectl", *_, source, _] if source.startswith("--from=cronjob/"):
                assert f"name: {source.partition('/')[2]}\n" in manifests(), line
            case ["terraform", folder, "output", "-raw", name, ">", target]:
                assert folder == "-chdir=infra/terraform", line
                assert name in outputs, line
                assert (REPOSITORY / target).is_file(), line
            case ["terraform", *words]:
                for word in words:
                    if word.startswith("-var-file="):
                        assert (TERRAFORM / word.partition("=")[2]).is_file(), line
            case [_, _, _, path] if path.endswith(".py"):
                assert (REPOSITORY / path).is_file(), line


def manifests() -> str:
    return "".join(path.read_text() for path in (REPOSITORY / "infra" / "kubernetes").rglob("*.yaml"))


def test_prices_are_those_of_the_file() -> None:
    prices = yaml.safe_load((REPOSITORY / "infra" / "prices.yaml").read_text())
    pools = Table.read().pools
    rows = table("Pools, quotas, cost")
    assert rows.keys() == pools.keys()
    for name, pool in pools.items():
        price = prices["on_demand"][pool.machine_type]
        spot = f"{price * prices['spot_share']:.3f}" if pool.spot else ""
        assert rows[name] == [f"{pool.nodes.min} to {pool.nodes.max}", f"{price:.3f}", spot]
    most = sum(pool.nodes.max * prices["on_demand"][pool.machine_type] for pool in pools.values())
    least = sum(pool.nodes.min * prices["on_demand"][pool.machine_type] for pool in pools.values()) * 730
    assert f"{most:.2f} an hour; with none but the first, {least:.0f} a month" in README.read_text().replace("\n", " ")


def test_rights_are_those_of_terraform(console: Console) -> None:
    words = {"roles/storage.objectViewer": "reads", "roles/storage.objectUser": "writes"}
    granted = console(
        TERRAFORM / "rights", "local.of_accounts", stages=sorted(Table.read().stages), stage_identities=True
    )
    buckets = ("data", "artifacts", "checkpoints", "models")
    expected = {name: [words.get(rights.get(bucket, ""), "") for bucket in buckets] for name, rights in granted.items()}
    assert table("Who may do what") == expected


def test_components_are_those_of_the_folder() -> None:
    found = {
        path.parent.name for path in (REPOSITORY / "infra" / "kubernetes" / "components").glob("*/kustomization.yaml")
    }
    assert {name.strip("`") for name in table("Any Kubernetes")} == found


def test_workflows_and_their_variables_are_those_of_the_folder() -> None:
    files = list((REPOSITORY / ".github" / "workflows").glob("*.yml"))
    variables = {name for path in files for name in re.findall(r"vars\.(\w+)", path.read_text())}
    section = README.read_text().partition("\n## GitHub\n")[2].partition("\n## ")[0]
    assert {path.stem for path in files} | variables == set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize(
    "target", re.findall(r"`((?:terraform|kubernetes|check|components|overlays)/[\w./-]*)`", README.read_text())
)
def test_paths_exist(target: str) -> None:
    places = (REPOSITORY / "infra", REPOSITORY / "infra" / "kubernetes")
    assert any(Path(place / target).exists() for place in places)

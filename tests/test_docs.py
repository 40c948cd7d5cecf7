"""README and docs tell the truth: their figures are those of the committed run, their commands exist."""

import re
import shlex
from pathlib import Path

import pytest

from pipeline import cli, results

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> list[str]:
    """Lines of the shell blocks, without comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = (line.partition("#")[0].strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line]


def test_the_table_is_that_of_the_committed_run() -> None:
    readme = (ROOT / "README.md").read_text()
    for row in results.rows(ROOT / "results"):
        assert f"| {' | '.join(row)} |" in readme


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in commands(page):
        match shlex.split(line):
            case ["make", verb, *_]:
                assert verb in targets, line
            case ["ferflow", *arguments]:
                cli.parser().parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target

"""What checkov finds, less what was looked at and accepted: infra/check/accepted.yaml, a reason for each."""

import json
import shutil
import tempfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from infra.check import manifests
from infra.check.program import find, run
from pipeline import strict_yaml

ACCEPTED = Path("infra/check/accepted.yaml")

FRAMEWORKS = ("terraform", "kubernetes", "dockerfile", "github_actions")


class Finding(strict_yaml.Entry):
    """A finding that stays."""

    check: Annotated[str, Field(pattern=r"^CKV2?_[A-Z0-9]+_\d+$")]
    resource: str
    """as checkov names it; * stands for anything"""
    reason: Annotated[str, Field(min_length=20)]


class Accepted(strict_yaml.Entry):
    """All of infra/check/accepted.yaml."""

    accepted: list[Finding]


def scanned(root: Path) -> list[str]:
    """Findings that nobody has accepted, and accepted ones that checkov no longer has."""
    accepted = strict_yaml.read(Accepted, root / ACCEPTED, "accepted findings").accepted
    with tempfile.TemporaryDirectory() as folder:
        found = _findings(root, Path(folder))
    problems = [
        f"{check} {resource} ({path}): {title}"
        for (check, resource), (path, title) in sorted(found.items())
        if not any(entry.check == check and fnmatch(resource, entry.resource) for entry in accepted)
    ]
    gone = [
        f"{ACCEPTED}: {entry.check} {entry.resource}: expected a finding, checkov has none."
        for entry in accepted
        if not any(check == entry.check and fnmatch(resource, entry.resource) for check, resource in found)
    ]
    return [*problems, *gone]


def _findings(root: Path, folder: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Path and title of each finding, by its check and resource: looked for in a copy of what is to be looked at."""
    program = find("checkov", "make infra-check installs it")
    shutil.copytree(root / "infra" / "terraform", folder / "terraform", ignore=shutil.ignore_patterns(".terraform"))
    for overlay in manifests.overlays(root):
        (folder / overlay).mkdir()
        (folder / overlay / "rendered.yaml").write_text(yaml.safe_dump_all(manifests.rendered(root, overlay)))
    for dockerfile in sorted((root / "components").glob("*/Dockerfile")):
        (folder / "components" / dockerfile.parent.name).mkdir(parents=True)
        shutil.copy(dockerfile, folder / "components" / dockerfile.parent.name)
    if (root / ".github").is_dir():
        shutil.copytree(root / ".github", folder / ".github")
    options = ["--skip-download", "--quiet", "--compact", "--output", "json", "--directory", "."]
    # Its own packages alone: what this process was told of others, checkov cannot use.
    _, out, err = run([program, *options, "--framework", *FRAMEWORKS], folder, {"PYTHONPATH": ""})
    try:
        reports = json.loads(out)
    except ValueError as error:
        raise RuntimeError(f"checkov: expected JSON. {err.strip().splitlines()[-1:] or out[:200]}") from error
    return {key: told for report in (reports if isinstance(reports, list) else [reports]) for key, told in _of(report)}


def _of(report: Any) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    results = report.get("results", {})
    unread = [(("parsing", path), (path, "checkov cannot read it")) for path in results.get("parsing_errors") or []]
    failed = results.get("failed_checks", [])
    return [
        *unread,
        *(((entry["check_id"], entry["resource"]), (entry["file_path"], entry["check_name"])) for entry in failed),
    ]

"""Run all checks, say what each found, and what could not be looked at because its program is not at hand.

Exit code 1 where a check found something.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from components.fer.errors import FerflowError
from infra.check import files, manifests, scan, terraform
from infra.check.program import REPOSITORY, MissingError

CHECKS: dict[str, Callable[[Path], list[str]]] = {
    "terraform fmt": terraform.formatted,
    "terraform validate": terraform.valid,
    "python-hcl2": terraform.parsed,
    "kubectl kustomize": manifests.rendering,
    "kubernetes-validate": manifests.valid,
    "no secrets": manifests.secrets,
    "checkov": scan.scanned,
    "hadolint": files.dockerfiles,
    "shellcheck": files.scripts,
    "actionlint": files.workflows,
    "zizmor": files.workflow_rights,
}


def outcome(check: Callable[[Path], list[str]], root: Path) -> tuple[str, list[str]]:
    """The word for what a check found, and its lines: ok, faults or not looked at."""
    try:
        found = check(root)
    except MissingError as error:
        return "not looked at", [str(error)]
    except (FerflowError, manifests.RenderError) as error:
        return "faults", [str(error)]
    return ("faults" if found else "ok"), found


def main(root: Path) -> int:
    """Exit code of all checks on the repository at `root`."""
    words = []
    for name, check in CHECKS.items():
        word, lines = outcome(check, root)
        words.append(word)
        sys.stdout.write("".join([f"{name:20} {word}\n", *(f"    {line}\n" for line in lines)]))
        sys.stdout.flush()
    return int("faults" in words)


if __name__ == "__main__":
    sys.exit(main(REPOSITORY))

"""infra/terraform: written as `terraform fmt` writes it, and read by a second parser."""

from pathlib import Path

import hcl2
from lark.exceptions import LarkError

from infra.check.program import MissingError, complaints, find

FOLDER = Path("infra/terraform")

NO_SETTINGS = {"TF_CLI_CONFIG_FILE": "/dev/null", "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
"""what keeps a person's own settings, and a question after new versions, out of it"""


def formatted(root: Path) -> list[str]:
    """Files that `terraform fmt` would write in another way, and what it cannot read."""
    command = [
        find("terraform", "https://developer.hashicorp.com/terraform/install"),
        "fmt",
        "-check",
        "-diff",
        "-recursive",
    ]
    return complaints(command, root / FOLDER, NO_SETTINGS)


def valid(root: Path) -> list[str]:
    """What `terraform validate` says, where the providers are at hand."""
    program = find("terraform", "https://developer.hashicorp.com/terraform/install")
    if not (root / FOLDER / ".terraform" / "providers").is_dir():
        raise MissingError("the providers are not at hand: terraform -chdir=infra/terraform init -backend=false")
    return complaints([program, "validate", "-no-color"], root / FOLDER, NO_SETTINGS)


def parsed(root: Path) -> list[str]:
    """Files that python-hcl2 cannot read, variables without a description, and those without a condition."""
    problems = []
    for path in sorted((root / FOLDER).rglob("*.tf*")):
        if ".terraform" in path.parts or path.suffix not in (".tf", ".tfvars"):
            continue
        name = path.relative_to(root)
        try:
            content = hcl2.loads(path.read_text())
        except LarkError as error:
            problems.append(f"{name}: expected HCL. {str(error).splitlines()[0]}")
            continue
        for entry in content.get("variable", []):
            for variable, told in entry.items():
                plain = variable.strip('"')
                if "description" not in told:
                    problems.append(f"{name}: variable {plain}: expected a description, found none.")
                # A switch has nothing to check beyond its type; the modules get what was checked at the top.
                if path.parent == root / FOLDER and "validation" not in told and "bool" not in str(told.get("type")):
                    problems.append(f"{name}: variable {plain}: expected a validation, found none.")
    return problems

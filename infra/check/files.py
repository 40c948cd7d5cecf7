"""Dockerfiles, shell scripts and the forge's workflows."""

from pathlib import Path

from infra.check.program import complaints, find

WORKFLOWS = Path(".github/workflows")


def dockerfiles(root: Path) -> list[str]:
    """What hadolint says."""
    program = find("hadolint", "make setup installs it")
    return complaints([program, *sorted((root / "components").glob("*/Dockerfile"))], root)


def scripts(root: Path) -> list[str]:
    """What shellcheck says about the files that begin with a shell's name."""
    program = find("shellcheck", "make setup installs it")
    found = [path for name in (".ci", "infra") for path in sorted((root / name).rglob("*")) if _is_script(path)]
    return complaints([program, "--color=never", "--severity=info", *found], root) if found else []


def workflows(root: Path) -> list[str]:
    """What actionlint says: syntax, types of expressions, the scripts in them."""
    program = find("actionlint", "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7")
    return complaints([program, "-no-color", *_workflows(root)], root)


def workflow_rights(root: Path) -> list[str]:
    """What zizmor says: actions that are not pinned, rights that are not needed, text of strangers in scripts."""
    program = find("zizmor", "make setup installs it")
    return complaints([program, "--offline", "--no-progress", "--color=never", *_workflows(root)], root)


def _workflows(root: Path) -> list[Path]:
    return sorted((root / WORKFLOWS).glob("*.yml"))


def _is_script(path: Path) -> bool:
    if not path.is_file() or path.is_symlink():
        return False
    with path.open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and (b"sh" in first.split(b"/")[-1])

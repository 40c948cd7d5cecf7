"""Where a version comes from: data, code, model, environment."""

import hashlib
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from components.fer.errors import InputError
from components.model_store.provenance import Provenance
from components.model_store.records import Verdict

NAME = "lineage.json"

COMPONENTS = Path(__file__).resolve().parents[1]


class Code(BaseModel):
    """The code that made the version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: str | None
    """git commit; none where there is no repository, as in a container"""
    dirty: bool | None
    """whether the components differ from that commit"""
    sources_sha256: str
    """of all sources of the components: the same with and without git"""


class Lineage(BaseModel):
    """The content of `lineage.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """of the model"""
    when: AwareDatetime
    """UTC"""
    data_md5: str
    """of the source data set, by validate's audit"""
    prepared_md5: str | None = None
    """of the prepared data set that the candidate was judged on; none for a folder of TFRecords"""
    code: Code
    model_sha256: str
    """of model.keras"""
    parameter_count: int
    """weights of the model"""
    verdict: Verdict
    """of the comparison at the time of storing; champion.json has the one that moved the champion"""
    python: str
    packages: dict[str, str]
    """versions of the libraries that load the model"""
    provenance: Provenance | None = None
    """what the submission, or dvc.yaml, said"""

    @property
    def commit(self) -> tuple[str | None, bool | None]:
        """The git commit, and whether the code differed from it: those of the submission, or else those found."""
        made = self.provenance
        return (made.commit, made.dirty) if made and made.commit else (self.code.commit, self.code.dirty)


def parse(content: bytes, version: str) -> Lineage:
    """Read the lineage.json of `version`. Raises `InputError` where it is broken."""
    try:
        return Lineage.model_validate_json(content)
    except ValidationError as error:
        raise InputError(
            f"version {version}: expected a {NAME} as push-model writes it, found none.",
            "Restore the version from a backup.",
        ) from error


def code(components: Path = COMPONENTS) -> Code:
    """Describe the state of the code in `components`."""
    commit = dirty = None
    # A wheel may lie in the environment of somebody else's repository: only files that git tracks are its own.
    if _git(components, "ls-files", "--error-unmatch", "model_store/lineage.py") is not None:
        commit = _git(components, "rev-parse", "HEAD")
        status = _git(components, "status", "--porcelain", "--", ".")  # not the root: dvc repro itself changes dvc.lock
        dirty = None if status is None else bool(status)
    return Code(commit=commit, dirty=dirty, sources_sha256=sources_sha256(components))


def sources_sha256(components: Path) -> str:
    """One sha256 over the names and contents of all Python files, whatever the order of the file system."""
    digest = hashlib.sha256()
    for path in sorted(components.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(components).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def md5(path: Path) -> str:
    """Hash a file's content as DVC does: hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def packages() -> dict[str, str]:
    """Versions of the libraries that load a model, as far as they are installed."""
    found = {}
    for name in ("keras", "numpy", "tensorflow", "tensorflow-cpu"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def python() -> str:
    """Version of Python."""
    return platform.python_version()


def _git(folder: Path, *arguments: str) -> str | None:
    """Give what git prints; none where there is no git, no commit or no repository that it trusts."""
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run([git, "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None

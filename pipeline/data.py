"""FER2013 in the workspace: data.dvc names it by its md5, and data/fer2013.csv is where it lies."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from components.fer.errors import InputError

ROOT = Path(__file__).resolve().parents[1]

HOW_TO_GET = (
    "FER2013 is given out by Kaggle (Challenges in Representation Learning: Facial Expression Recognition Challenge).\n"
    "Download fer2013.csv there, then: ferflow data PATH/fer2013.csv\n"
    "Or, where your team keeps it in a DVC remote: dvc remote add -d team gs://BUCKET/PATH && dvc pull data.dvc"
)


def location() -> tuple[Path, str]:
    """Where data.dvc wants the csv, and its md5."""
    entry = yaml.safe_load((ROOT / "data.dvc").read_text())["outs"][0]
    return ROOT / entry["path"], entry["md5"]


def size() -> int:
    """Bytes of the csv, by data.dvc."""
    found: int = yaml.safe_load((ROOT / "data.dvc").read_text())["outs"][0]["size"]
    return found


def fetch(source: Path | None) -> None:
    """Bring the csv to its place, from a file or by `dvc pull`. Raises `InputError` where neither has it."""
    target, expected = location()
    if source is not None:
        _copy(source, target, expected)
    elif not target.is_file():
        pull()
    if md5(target) != expected:
        raise InputError(
            f"data set {target}: expected md5 {expected}, received {md5(target)}.",
            f"Remove the file and fetch it again.\n{HOW_TO_GET}",
        )
    sys.stdout.write(f"{target.relative_to(ROOT)}: FER2013, md5 {expected}\n")


def pull() -> None:
    """Let DVC fetch the csv from the remote. Raises `InputError` where no remote is set or it lacks the file."""
    dvc = [sys.executable, "-m", "dvc"]
    remote = subprocess.run([*dvc, "config", "core.remote"], cwd=ROOT, capture_output=True, text=True, check=False)
    if not remote.stdout.strip():
        raise InputError(
            "data set data/fer2013.csv: not here, and no DVC remote is set that could have it.", HOW_TO_GET
        )
    if subprocess.run([*dvc, "pull", "data.dvc"], cwd=ROOT, check=False).returncode:
        name = remote.stdout.strip()
        raise InputError(f"data set data/fer2013.csv: not here, and `dvc pull` from {name} failed (above).", HOW_TO_GET)


def md5(path: Path) -> str:
    """The md5 of a file, in hexadecimal digits: DVC's name for its content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _copy(source: Path, target: Path, expected: str) -> None:
    if not source.is_file():
        raise InputError(f"data set {source}: expected a file, found none.", HOW_TO_GET)
    received = md5(source)
    if received != expected:
        raise InputError(
            f"data set {source}: expected the official fer2013.csv (md5 {expected}), received md5 {received}.",
            "Another file can be used by its path: set data.path and data.md5 ('' accepts any) in params.yaml.",
        )
    if target.is_file() and target.samefile(source):
        return
    target.parent.mkdir(exist_ok=True)
    unfinished = target.with_name(f".unfinished-{target.name}")
    try:
        shutil.copyfile(source, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)

"""A workspace with a store, as a job at a desk has it."""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from components.model_store import lineage, promotion
from components.model_store.folder import FolderStore
from components.model_store.versions import Version
from components.registry import mirrors
from pipeline import repository
from pipeline.models import verify
from pipeline.models.place import Place
from tests.components.model_store.made import NAME, make, verdict

PARAMETERS = {"training__seed": 1, "training__dropout": 0.5}


@dataclass(frozen=True)
class Desk:
    """A workspace."""

    folder: Path
    place: Place
    store: FolderStore

    def made(self, right: int, decision: str = "PROMOTE") -> Version:
        """Store a version of the data, code and parameters that are here; promote it where the gate says so."""
        code = lineage.code(self.folder / "components")
        changes = {
            "data_md5": md5(self.folder / "data" / "fer2013.csv"),
            "prepared_md5": md5(self.folder / "artifacts" / "prepared.pickle"),
            "code": code,
            "provenance": {
                "commit": code.commit,
                "dirty": False,
                "images": {},
                "parameters": PARAMETERS,
                "run": None,
            },
        }
        version = make(self.store, right, decision, **changes)  # type: ignore[arg-type]
        promotion.by_gate(self.store, NAME, self.store.champion(NAME), version.id, verdict(decision))  # type: ignore[arg-type]
        return version


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def desk(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A repository with data, a dvc.lock that says what they are, an empty store and an empty MLflow."""
    files = {
        "data/fer2013.csv": "emotion,pixels,Usage\n",
        "artifacts/prepared.pickle": "a pickle",
        "components/model_store/lineage.py": "the code\n",
        "mlflow.db": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "mlflow.db").write_bytes(empty_database.read_bytes())
    locked = [{"path": name, "md5": md5(tmp_path / name)} for name in ("data/fer2013.csv", "artifacts/prepared.pickle")]
    (tmp_path / "dvc.lock").write_text(
        yaml.safe_dump({"stages": {"preprocess": {"deps": locked[:1], "outs": locked[1:]}}})
    )
    git(tmp_path, "init")
    git(tmp_path, "add", "components")
    git(tmp_path, "commit", "-m", "first")
    for module in (repository, verify):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    store = FolderStore(tmp_path / "models")
    registry = f"sqlite:///{tmp_path}/mlflow.db"
    mirrors.check(registry)
    return Desk(tmp_path, Place(store, NAME, registry, tmp_path), store)

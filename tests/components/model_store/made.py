"""Made versions: everything that a version has, but a model that nobody can load, so that no test waits for Keras."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from components.fer.dataset import USAGES, Predictions
from components.model_store import lineage, provenance
from components.model_store.lineage import Code, Lineage
from components.model_store.manifest import sha256
from components.model_store.records import Decision, Verdict
from components.model_store.store import Store
from components.model_store.versions import Version, candidate_sha256

NAME = "fer-hybrid"
MD5 = "f8428a1edbd21e88f42c73edd2a14f95"
IMAGES = 100
NO_CODE = Code(commit=None, dirty=None, sources_sha256="0")


def verdict(decision: Decision) -> Verdict:
    """A verdict, with a reason."""
    return Verdict(decision, (f"so it is: {decision}",), "majority class", 0.05, None)


def make(
    store: Store, right: int, decision: Decision = "PROMOTE", files: Mapping[str, bytes] | None = None, **changes: Any
) -> Version:
    """Store a version that names so many of 100 PublicTest images right; `changes` are of its lineage.

    `files` are contents of more files that it has.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "model.keras").write_bytes(f"weights {right}".encode() * 50)
        (folder / "saved_model").mkdir()
        (folder / "saved_model" / "saved_model.pb").write_bytes(f"graph {right}".encode())
        for name, content in (files or {}).items():
            (folder / name).write_bytes(content)
        predictions(right).save(folder / "predictions.npz")
        (folder / "metrics.json").write_text(json.dumps({"public": {"accuracy": right / IMAGES}, "temperature": 1.1}))
        digests = [sha256(folder / name) for name in ("model.keras", "metrics.json", "predictions.npz")]
        record = Lineage(
            **{
                "name": NAME,
                "when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
                "data_md5": MD5,
                "code": NO_CODE,
                "model_sha256": digests[0],
                "parameter_count": 49,
                "verdict": verdict(decision),
                "python": "3.11.7",
                "packages": {"keras": "3.15.0"},
                **changes,
            }
        )
        if record.provenance:
            (folder / provenance.PARAMETERS).write_text(json.dumps(dict(record.provenance.parameters)))
        (folder / lineage.NAME).write_text(record.model_dump_json())
        sha = candidate_sha256(digests, record.data_md5)
        return store.add(NAME, sha, partial(_copy, folder))


def _copy(folder: Path, place: Path) -> None:
    shutil.copytree(folder, place, dirs_exist_ok=True)


def predictions(right: int) -> Predictions:
    """Answers to 100 PublicTest and 20 PrivateTest images, so many of the former right."""
    label = np.arange(IMAGES + 20, dtype=np.uint8) % 7
    answer = np.where(np.arange(len(label)) < right, label, (label + 1) % 7)
    usage = np.where(np.arange(len(label)) < IMAGES, USAGES.index("PublicTest"), USAGES.index("PrivateTest"))
    probabilities = np.eye(7, dtype=np.float32)[answer]
    return Predictions(np.arange(len(label), dtype=np.int32), label, usage.astype(np.uint8), probabilities)

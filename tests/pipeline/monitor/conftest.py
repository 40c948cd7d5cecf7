"""A workspace with a champion, the images that it was judged on, and what a server observed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from components.fer import made_faces, prepared
from components.fer.dataset import Split
from components.model_store import lineage
from components.model_store.folder import FolderStore
from components.model_store.promotion import by_gate
from components.model_store.records import Champion
from components.serve import observations
from components.serve.observations import Log, Observation
from pipeline.models.place import Place
from pipeline.monitor import drift
from pipeline.monitor.command import PREPARED, Look, main
from tests.components.model_store.made import IMAGES, NAME, make, predictions, verdict
from tests.pipeline.cluster.conftest import (  # noqa: F401 -- fixtures
    committed,
    kfp,
    pushed,
    ready,
    stored,
    team,
)

LABEL = np.arange(IMAGES, dtype=np.uint8) % 7
LOOK = Look(hours=24, window=40, cool_down=7, submit=False, host=None)


@dataclass(frozen=True)
class Served:
    """A workspace with two versions; the second is the champion."""

    folder: Path
    place: Place
    store: FolderStore
    earlier: str
    champion: str
    images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    """PublicTest's"""

    @property
    def log(self) -> Path:
        return self.folder / "observations"

    def observe(self, version: str | None = None, darker: int = 0, right: int = 70, ago: float = 1) -> None:
        """The server answers all PublicTest images, darker by so many grey levels, so many hours ago."""
        images = np.clip(self.images.astype(int) - darker, 0, 255).astype(np.uint8)
        answers = predictions(right).probabilities[:IMAGES]
        when = datetime.now(UTC) - timedelta(hours=ago)
        found = observations.of(images, answers, version or self.champion)
        self.write([one.model_copy(update={"time": when}) for one in found])

    def write(self, found: list[Observation]) -> None:
        Log(self.log).append(found)

    def monitor(self, look: Look = LOOK, data: Path | None = None) -> None:
        main(self.log, self.place, None, data, look)

    @property
    def record(self) -> bytes:
        """The champion's record."""
        return (self.folder / "models" / NAME / "champion.json").read_bytes()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    images = made_faces.draw(LABEL, np.random.default_rng(1))[..., None]
    split = Split(images, LABEL, np.arange(IMAGES, dtype=np.int32))
    (tmp_path / PREPARED).parent.mkdir(parents=True)
    prepared.write_pickle(dict.fromkeys(("training", "public", "private"), split), tmp_path / PREPARED)
    store, md5 = FolderStore(tmp_path / "models"), lineage.md5(tmp_path / PREPARED)
    earlier, later = (make(store, right, prepared_md5=md5).id for right in (60, 70))
    champion: Champion | None = None
    for version in (earlier, later):
        champion = by_gate(store, NAME, champion, version, verdict("PROMOTE"))
    monkeypatch.setattr(drift, "calibrate", partial(drift.calibrate, draws=400))
    place = Place(store, NAME, "sqlite:///mlflow.db", tmp_path)
    return Served(tmp_path, place, store, earlier, later, images)

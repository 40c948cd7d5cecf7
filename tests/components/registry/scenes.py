"""The scene of a fault, made once and copied for each step: a store, an MLflow and a Kubeflow Model Registry."""

import copy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.cloud import storage

from tests.components.model_store.processes import Place
from tests.components.registry.faults import Scene, begin, champion, killed
from tests.components.registry.model_registry_server import Server


@dataclass(frozen=True)
class Killed:
    """What a kill came to."""

    call: str
    """the one before which the process was killed; empty where it was not"""
    champion: tuple[str, int]
    """number of the version that serves, and of the moves"""


@dataclass
class Scenes:
    """Makes scenes in a folder."""

    folder: Path
    server: Server
    database: Path
    """an empty MLflow"""
    bucket: str = ""
    """gs://NAME where the store shall be in a bucket"""
    endpoint: str = ""
    """of the bucket's server"""

    def kills(self, move: str, first: int = 1, stride: int = 1) -> Iterator[Killed]:
        """Kill a move before the first call, and before others in a distance; the last one was not killed."""
        base = self._scene(move)
        shutil.copy(self.database, self.folder / f"{move}.db")
        begin(move, base)
        before = self._registered()
        step = first
        while True:
            scene = self._copy(base, move, step, before)
            call = killed(move, scene, step, self.folder / f"{move}-{step}.call")
            yield Killed(call, champion(scene))
            if not call:
                return
            step += stride

    def _scene(self, name: str) -> Scene:
        address = f"{self.bucket}/{name}" if self.bucket else str(self.folder / name)
        registry = f"sqlite:///{self.folder}/{name}.db,kubeflow+{self.server.host}"
        return Scene(Place(address, self.endpoint), registry)

    def _copy(self, base: Scene, move: str, step: int, registered: Any) -> Scene:
        name = f"{move}-{step}"
        shutil.copy(self.folder / f"{move}.db", self.folder / f"{name}.db")
        self.server.models, self.server.versions, self.server.artifacts, self.server.parents = copy.deepcopy(registered)
        if self.bucket:
            bucket = storage.Client(project="test").bucket(self.bucket.removeprefix("gs://"))
            for blob in bucket.list_blobs(prefix=f"{move}/"):
                bucket.copy_blob(blob, bucket, f"{name}/{blob.name.partition('/')[2]}")
        else:
            shutil.copytree(base.place.address, self.folder / name)
        return self._scene(name)

    def _registered(self) -> Any:
        server = self.server
        return copy.deepcopy((server.models, server.versions, server.artifacts, server.parents))

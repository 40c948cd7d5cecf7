"""What a version was judged on: PublicTest's images, and what the version said of them."""

import tempfile
from pathlib import Path

from components.fer import prepared
from components.fer.dataset import USAGES, Predictions
from components.fer.errors import InputError
from components.model_store import lineage
from components.model_store.versions import Version
from pipeline.models.place import Place
from pipeline.monitor.sample import Sample

PREDICTIONS = "predictions.npz"


def read(place: Place, version: Version, data: Path, *, champion: bool = True) -> Sample:
    """The reference of a stored version: its own answers, and the images of the prepared data set at `data`.

    Raises `InputError` where these are not the images that it was judged on.
    """
    record = lineage.parse(place.store.read(place.name, version.id, lineage.NAME), version.address)
    mend = (
        f"Give the prepared data set of {version.id}: --data PATH, or write it again: dvc repro"
        if champion  # whose data the others are held to, and so could not be given theirs
        else "Nothing to mend once it serves no more; without it, look back less far: --hours"
    )
    if data.is_file() and record.prepared_md5 not in (None, found := lineage.md5(data)):
        raise InputError(
            f"prepared data set {data}: expected the one that version {version.id} was judged on "
            f"(md5 {record.prepared_md5}), received md5 {found}.",
            mend,
        )
    public, said = prepared.read(data)["public"], _predictions(place, version)
    mine = said.usage == USAGES.index("PublicTest")
    if said.row[mine].tolist() != public.row.tolist() or said.label[mine].tolist() != public.label.tolist():
        raise InputError(
            f"prepared data set {data}: expected the PublicTest images that version {version.id} was judged on "
            f"({mine.sum():,}), received others ({len(public):,}).",
            mend,
        )
    return Sample.of(public.images, said.probabilities[mine])


def _predictions(place: Place, version: Version) -> Predictions:
    """Only this file is read of the version, which may lie in a bucket."""
    with tempfile.TemporaryDirectory(prefix="ferflow-") as folder:
        path = Path(folder) / PREDICTIONS
        path.write_bytes(place.store.read(place.name, version.id, PREDICTIONS))
        return Predictions.load(path)

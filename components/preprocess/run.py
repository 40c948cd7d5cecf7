"""From faces and masks to the prepared data set in its two forms."""

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.fer import prepared, stage
from components.fer.dataset import MEND, SPLITS, Faces, Masks, Prepared, Split
from components.fer.errors import InputError
from components.preprocess import selection
from components.preprocess.config import Config

log = logging.getLogger("ferflow")


def run(config: Config) -> None:
    """Drop what is to be dropped and write pickle, TFRecords and report."""
    data, counts = _prepare(config)
    with stage.outputs(config) as out:
        prepared.write_pickle(data, out.prepared_pickle)
        prepared.write_tfrecord(data, out.prepared_tfrecord, config.shards)
        report = {
            **counts,
            "pickle": _measure([out.prepared_pickle]),
            "tfrecord": _measure(sorted(out.prepared_tfrecord.glob("*/*"))),
        }
        out.report_json.write_text(json.dumps(report, indent=2) + "\n")


def _prepare(config: Config) -> tuple[Prepared, dict[str, selection.Counts]]:
    """Load faces and masks and select; both are let go on return, before TensorFlow fills the memory."""
    faces, masks = Faces.load(config.faces_npz), Masks.load(config.masks_npz)
    if len(faces) != len(masks):
        raise InputError(
            f"masks {config.masks_npz}: expected one entry for each of the {len(faces):,} faces in {config.faces_npz}, "
            f"received {len(masks):,}.",
            MEND,
        )
    switches = {"constant": config.drop_constant, "conflict": config.drop_conflicts, "copy": config.drop_copies}
    reason = selection.drop_reason(faces, masks, {name for name, on in switches.items() if on})
    counts = selection.counts(faces, reason)
    training, dropped = counts["images"]["training"], counts["dropped"]
    said = ", ".join(f"{count:,} {name}" for name, count in dropped.items())
    log.info("training: %s of %s images kept; dropped: %s", f"{training['after']:,}", f"{training['before']:,}", said)
    if training["after"] == 0:
        raise InputError(
            f"faces {config.faces_npz}: expected Training images that are kept, found none (dropped: {said}).",
            "Set drop_copies, drop_conflicts or drop_constant of preprocess to false in params.yaml.",
        )
    kept = reason == selection.KEPT
    return {name: _split(faces, kept & (faces.usage == usage)) for usage, name in enumerate(SPLITS)}, counts


def _split(faces: Faces, chosen: NDArray[np.bool_]) -> Split:
    rows = np.flatnonzero(chosen)
    return Split(faces.images[rows][..., None], faces.label[rows], rows.astype(np.int32))


def _measure(paths: list[Path]) -> dict[str, int | str]:
    """Size of the files together, and the SHA-256 of their contents one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return {"bytes": sum(path.stat().st_size for path in paths), "sha256": digest.hexdigest()}

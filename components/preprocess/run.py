"""From faces and masks to the prepared data set in its two forms."""

import hashlib
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.fer import prepared, stage
from components.fer.dataset import MEND, SPLITS, Faces, Masks, Prepared, Split
from components.fer.errors import InputError
from components.preprocess import filtering, selection
from components.preprocess.config import Config

log = logging.getLogger("ferflow")


def run(config: Config) -> None:
    """Choose the images, align and filter them where that is wished, and write pickle, TFRecords and report."""
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
    """Make the prepared data set; faces and masks are let go on return, before TensorFlow fills the memory."""
    faces, masks = Faces.load(config.faces_npz), Masks.load(config.masks_npz)
    if len(faces) != len(masks):
        raise InputError(
            f"masks {config.masks_npz}: expected one entry for each of the {len(faces):,} faces in {config.faces_npz}, "
            f"received {len(masks):,}.",
            MEND,
        )
    switches = {"constant": config.drop_constant, "conflict": config.drop_conflicts, "copy": config.drop_copies}
    reason = selection.drop_reason(faces, masks, {name for name, on in switches.items() if on})
    chosen = reason == selection.KEPT
    if config.sample:
        chosen = selection.sampled(faces, chosen, config.sample, config.seed)
    counts = selection.counts(faces, reason, chosen)
    training, dropped = counts["images"]["training"], counts["dropped"]
    said = ", ".join(f"{count:,} {name}" for name, count in dropped.items())
    log.info("training: %s of %s images kept; dropped: %s", f"{training['after']:,}", f"{training['before']:,}", said)
    if training["after"] == 0:
        raise InputError(
            f"faces {config.faces_npz}: expected Training images that are kept, found none (dropped: {said}).",
            "Set drop_copies, drop_conflicts or drop_constant of preprocess to false in params.yaml.",
        )
    row = np.flatnonzero(chosen).astype(np.int32)
    kept = Faces(faces.images[row], faces.label[row], faces.usage[row])
    if config.align == "dlib":
        from components.preprocess import alignment  # dlib is for those who ask for it

        images, detected = alignment.align(kept.images, config.landmarks)
        kept = replace(kept, images=images)
        counts["alignment"] = selection.detections(kept, detected)
        log.info("a face found in %.1f %% of the images; the others stay as they are", 100 * detected.mean())
    if config.median_filter:
        kept = replace(kept, images=filtering.median_filtered(kept.images, config.median_filter))
    return {name: _split(kept, row, kept.usage == usage) for usage, name in enumerate(SPLITS)}, counts


def _split(faces: Faces, row: NDArray[np.int32], part: NDArray[np.bool_]) -> Split:
    return Split(faces.images[part][..., None], faces.label[part], row[part])


def _measure(paths: list[Path]) -> dict[str, int | str]:
    """Size of the files together, and the SHA-256 of their contents one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return {"bytes": sum(path.stat().st_size for path in paths), "sha256": digest.hexdigest()}

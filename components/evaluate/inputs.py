"""What evaluate reads beside the model, each held to the data set. All raise `InputError` where it does not fit."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer import ferplus, prepared
from components.fer.dataset import SPLITS, Masks, Prepared
from components.fer.errors import InputError


def read_data(path: Path) -> Prepared:
    """The prepared data set, which must have images to fit and to decide on."""
    data = prepared.read(path)
    if not len(data["training"]) or not len(data["public"]):
        raise InputError(
            f"prepared data set {path}: expected Training and PublicTest images, found none.",
            "Give a data set whose Usage column has both.",
        )
    return data


def read_masks(path: Path, data: Prepared) -> Masks:
    """The masks of the audit, an entry for each image of the source."""
    masks = Masks.load(path)
    last = max(int(split.row.max(initial=-1)) for split in data.values())
    if last >= len(masks):
        raise InputError(
            f"masks {path}: expected an entry for each image up to row {last:,}, found {len(masks):,}.",
            "Both must come from one data set: dvc repro",
        )
    return masks


def read_audit(path: Path) -> Mapping[str, Any]:
    """What the audit counted, whatever that is."""
    try:
        audit = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"audit {path}: expected JSON, received: {error}.", "Write it again: dvc repro validate"
        ) from error
    if not isinstance(audit, dict):
        raise InputError(f"audit {path}: expected a JSON object, received {type(audit).__name__}.")
    return audit


def read_votes(path: str, masks: Masks, data: Prepared) -> NDArray[np.int64] | None:
    """The FER+ majority of each image of the source, -1 where there is none; None without a path."""
    if not path:
        return None
    return ferplus.read_majority(Path(path), len(masks), [data[name] for name in SPLITS])

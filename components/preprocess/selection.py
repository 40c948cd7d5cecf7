"""Which images are kept. What is dropped is dropped from Training alone, and no other split is looked at to decide."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import SPLITS, USAGES, Faces, Masks, expression_count, expression_names
from components.fer.sampling import stratified

REASONS = ("constant", "conflict", "copy")
"""Why an image is dropped, in order of precedence: an image with several reasons counts for the first.

What is kept does not depend on that order: identical images are all constant or none, and all in conflict or none.
"""

KEPT = len(REASONS)
"""What `drop_reason` gives for an image that is kept."""


Counts = dict[str, Any]
"""Nested counts by name."""


def drop_reason(faces: Faces, masks: Masks, active: Collection[str]) -> NDArray[np.intp]:
    """Index into `REASONS` for each image that is dropped and `KEPT` for all others: (N,), in the order of `faces`.

    `active` names the reasons that apply, to Training images alone:

    - constant: all pixels are equal;
    - conflict: an identical Training image has another label, so that both are dropped. Labels of the other splits
      play no part (`masks.conflict` looks at them): choosing what to learn from by a test label would be a leak;
    - copy: an identical Training image stands before it.
    """
    training = np.flatnonzero(faces.usage == USAGES.index("Training"))
    _, first, group = np.unique(masks.copy_group[training], return_index=True, return_inverse=True)
    label = faces.label[training]
    applies = {
        "constant": masks.constant[training],
        "conflict": np.isin(group, group[label != label[first[group]]]),
        "copy": first[group] != np.arange(len(training)),
    }
    reason = np.full(len(faces), KEPT)
    reason[training] = np.select([applies[name] & (name in active) for name in REASONS], range(KEPT), KEPT)
    return reason


def sampled(faces: Faces, kept: NDArray[np.bool_], count: int, seed: int) -> NDArray[np.bool_]:
    """Draw `count` of the kept images of each split, or all where there are fewer: (N,), in the order of `faces`."""
    drawn = np.zeros(len(faces), np.bool_)
    for usage in range(len(USAGES)):
        rows = np.flatnonzero(kept & (faces.usage == usage))
        drawn[rows] = stratified(faces.label[rows], count, seed)
    return drawn


def counts(faces: Faces, reason: NDArray[np.intp], chosen: NDArray[np.bool_]) -> dict[str, Counts]:
    """Count images before and after by split and, for Training, by expression, and those dropped by reason.

    `chosen` (N,) are those after.
    """
    dropped = np.bincount(reason, minlength=KEPT)[:KEPT]

    def before_after(part: NDArray[np.bool_]) -> dict[str, int]:
        return {"before": int(part.sum()), "after": int((part & chosen).sum())}

    return {
        "images": {name: before_after(faces.usage == usage) for usage, name in enumerate(SPLITS)},
        "dropped": dict(zip(REASONS, dropped.tolist(), strict=True)),
        "training": {
            name: before_after((faces.usage == USAGES.index("Training")) & (faces.label == label))
            for label, name in enumerate(expression_names(expression_count(faces.label)))
        },
    }


def detections(faces: Faces, detected: NDArray[np.bool_]) -> dict[str, Counts]:
    """Count by split, in all and by expression, the images, the faces found in them, and their share in percent.

    `detected` (N,) is in the order of `faces`. The others, in which no face was found, stay as they are.
    """

    def found(part: NDArray[np.bool_]) -> dict[str, int | float | None]:
        images, hits = int(part.sum()), int((part & detected).sum())
        share = round(100 * hits / images, 2) if images else None
        return {"images": images, "detected": hits, "unaligned": images - hits, "percent": share}

    names = expression_names(expression_count(faces.label))
    return {
        name: {
            "all": found(faces.usage == usage),
            **{
                expression: found((faces.usage == usage) & (faces.label == label))
                for label, expression in enumerate(names)
            },
        }
        for usage, name in enumerate(SPLITS)
    }

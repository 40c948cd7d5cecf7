"""Which Training images are kept. PublicTest and PrivateTest are never changed, nor looked at to decide."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import EXPRESSIONS, SPLITS, USAGES, Faces, Masks

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


def counts(faces: Faces, reason: NDArray[np.intp]) -> dict[str, Counts]:
    """Count images before and after by split and, for Training, by expression, and those dropped by reason."""
    kept = reason == KEPT
    dropped = np.bincount(reason, minlength=KEPT)[:KEPT]

    def before_after(chosen: NDArray[np.bool_]) -> dict[str, int]:
        return {"before": int(chosen.sum()), "after": int((chosen & kept).sum())}

    return {
        "images": {name: before_after(faces.usage == usage) for usage, name in enumerate(SPLITS)},
        "dropped": dict(zip(REASONS, dropped.tolist(), strict=True)),
        "training": {
            name: before_after((faces.usage == USAGES.index("Training")) & (faces.label == label))
            for label, name in enumerate(EXPRESSIONS)
        },
    }

"""Counts what the audit found: the figures of audit.json."""

import numpy as np

from components.fer.dataset import EIGHT, SPLITS, Faces, Masks, expression_count, expression_names
from components.validate.audit import PRIVATE, PUBLIC, TRAINING, Bools, same_label_in_training

Counts = dict[str, int]
"""Counts by name."""

NEAR_CORRELATIONS = (0.97, 0.95, 0.90)
"""Correlations at which near copies are counted, besides the one that the masks use."""

TESTS = {"public": PUBLIC, "private": PRIVATE}


def figures(faces: Faces, masks: Masks, near_correlation: float) -> dict[str, object]:
    """Count classes, copies, near copies, conflicts and constant images."""
    return {
        "classes": classes(faces),
        "exact_copies": exact_copies(faces, masks),
        "near_copies": near_copies(faces, masks, near_correlation),
        "clean": clean(faces, masks),
        "constant": {
            "all_zero": int(np.count_nonzero(~faces.images[masks.constant].any(axis=(1, 2)))),
            **_by_split(faces, masks.constant),
        },
        "majority_class": majority_class(faces),
    }


def classes(faces: Faces) -> dict[str, Counts]:
    """Count the images of each split, in all and by expression."""
    names = expression_names(expression_count(faces.label))
    counts = {split: np.bincount(faces.label[faces.usage == i], minlength=len(names)) for i, split in enumerate(SPLITS)}
    return {
        split: {"all": int(count.sum()), **dict(zip(names, count.tolist(), strict=True))}
        for split, count in counts.items()
    }


def exact_copies(faces: Faces, masks: Masks) -> dict[str, int | Counts | dict[str, Counts]]:
    """Count identical images: groups of them, surplus ones, and those that split or label sets apart."""
    group = masks.copy_group
    sizes = np.bincount(group)
    present = np.stack([np.bincount(group[faces.usage == i], minlength=len(group)) > 0 for i in range(len(SPLITS))])
    training, public, private = present
    return {
        "images": len(group),
        "different_images": len(group) - surplus(masks),
        "surplus": surplus(masks),
        "groups": int(np.count_nonzero(sizes > 1)),
        "images_in_groups": int(sizes[sizes > 1].sum()),
        "groups_with_conflicting_labels": len(np.unique(group[masks.conflict])),
        "images_in_conflict": int(np.count_nonzero(masks.conflict)),
        "surplus_within": {
            split: int(np.count_nonzero(faces.usage == i)) - int(np.count_nonzero(present[i]))
            for i, split in enumerate(SPLITS)
        },
        "groups_spanning": {
            "training_and_private_only": int(np.count_nonzero(training & private & ~public)),
            "training_and_public_only": int(np.count_nonzero(training & public & ~private)),
            "public_and_private_only": int(np.count_nonzero(public & private & ~training)),
            "all": int(np.count_nonzero(training & public & private)),
        },
        "with_copy_in_training": {
            split: {
                "images": int(np.count_nonzero(~masks.clean_exact & (faces.usage == i))),
                "same_label": int(
                    np.count_nonzero(same_label_in_training(faces, masks.copy_group) & (faces.usage == i))
                ),
            }
            for split, i in TESTS.items()
        },
    }


def surplus(masks: Masks) -> int:
    """Count the images that are identical to an earlier one."""
    return int(np.count_nonzero(masks.copy_group != np.arange(len(masks.copy_group))))


def near_copies(faces: Faces, masks: Masks, near_correlation: float) -> dict[str, Counts]:
    """Count the test images that correlate with a Training image, at several correlations."""
    return {
        split: {
            f"{least:g}": int(np.count_nonzero(masks.near_correlation[faces.usage == i] >= least))
            for least in sorted({*NEAR_CORRELATIONS, near_correlation}, reverse=True)
        }
        for split, i in TESTS.items()
    }


def clean(faces: Faces, masks: Masks) -> dict[str, Counts]:
    """Count the test images that are no copy of a Training image."""
    return {
        split: {
            "full": int(np.count_nonzero(faces.usage == i)),
            "exact": int(np.count_nonzero(masks.clean_exact & (faces.usage == i))),
            "near": int(np.count_nonzero(masks.clean_near & (faces.usage == i))),
        }
        for split, i in TESTS.items()
    }


def majority_class(faces: Faces) -> dict[str, str | float]:
    """Give the accuracy of answering every image with Training's most frequent expression."""
    label = int(np.bincount(faces.label[faces.usage == TRAINING]).argmax())
    return {
        "expression": EIGHT[label],
        **{split: round(float(np.mean(faces.label[faces.usage == i] == label)), 4) for split, i in TESTS.items()},
    }


def _by_split(faces: Faces, mask: Bools) -> dict[str, int]:
    return {split: int(np.count_nonzero(mask & (faces.usage == i))) for i, split in enumerate(SPLITS)}

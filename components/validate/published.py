"""The published counts of the genuine FER2013: a condition on the table of facts, and how many of its rows meet it."""

from collections.abc import Mapping
from functools import reduce
from operator import and_

from great_expectations.expectations.row_conditions import Column, Condition

from components.fer.dataset import EXPRESSIONS

CLASSES = {
    "Training": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "PublicTest": (467, 56, 496, 895, 653, 415, 607),
    "PrivateTest": (491, 55, 528, 879, 594, 416, 626),
}
"""Images by usage and expression, in the order of `EXPRESSIONS`."""

NEAR = {
    "PrivateTest": {0.97: 399, 0.95: 465, 0.90: 639},
    "PublicTest": {0.97: 377, 0.95: 440, 0.90: 604},
}
"""Images by usage and least correlation with a Training image."""


def where(**values: str | float | bool) -> Condition:
    """Make the condition that each of the columns named has the value given."""
    return reduce(and_, (Column(name) == value for name, value in values.items()))


def counts() -> Mapping[str, tuple[Condition, int]]:
    """Give all published counts: what is counted, the condition, the count."""
    classes = {
        f"{usage} images of {expression}": (where(usage=usage, label=expression), count)
        for usage, row in CLASSES.items()
        for expression, count in zip(EXPRESSIONS, row, strict=True)
    }
    near = {
        f"{usage} images correlated with Training at {least:.2f} or more": (
            where(usage=usage) & (Column("near_correlation") >= least),
            count,
        )
        for usage, row in NEAR.items()
        for least, count in row.items()
    }
    several = Column("copies") > 1
    return {
        **classes,
        **near,
        "different images": (where(first_of_copies=True), 34_034),
        "surplus exact copies": (where(first_of_copies=False), 1_853),
        "groups of identical images": (where(first_of_copies=True) & several, 1_516),
        "images in groups of identical images": (several, 3_369),
        "surplus copies within Training": (where(usage="Training", first_in_usage=False), 1_236),
        "surplus copies within PublicTest": (where(usage="PublicTest", first_in_usage=False), 26),
        "surplus copies within PrivateTest": (where(usage="PrivateTest", first_in_usage=False), 17),
        "groups in Training and PrivateTest": _spanning("Training, PrivateTest", 261),
        "groups in Training and PublicTest": _spanning("Training, PublicTest", 253),
        "groups in PublicTest and PrivateTest": _spanning("PublicTest, PrivateTest", 26),
        "groups in all three splits": _spanning("Training, PublicTest, PrivateTest", 17),
        "PrivateTest images with a copy in Training": (where(usage="PrivateTest", copy_in_training=True), 288),
        "PrivateTest images with a copy in Training of the same label": (
            where(usage="PrivateTest", same_label_in_training=True),
            279,
        ),
        "PublicTest images with a copy in Training": (where(usage="PublicTest", copy_in_training=True), 280),
        "PublicTest images with a copy in Training of the same label": (
            where(usage="PublicTest", same_label_in_training=True),
            273,
        ),
        "groups with more than one label": (where(first_of_copies=True, conflict=True), 57),
        "constant images in Training": (where(usage="Training", constant=True), 11),
        "constant images in PublicTest": (where(usage="PublicTest", constant=True), 1),
        "constant images in PrivateTest": (where(usage="PrivateTest", constant=True), 0),
        "constant images, all zero": (where(constant=True, mean=0.0), 12),
    }


def _spanning(usages: str, count: int) -> tuple[Condition, int]:
    return where(first_of_copies=True, copies_lie_in=usages), count

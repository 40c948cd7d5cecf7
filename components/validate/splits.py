"""Which images fit, decide and judge: as the data set's authors say, or by seed where they do not or shall not."""

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.fer.dataset import USAGES, Faces
from components.fer.sampling import stratified
from components.validate.source import Source

TRAINING, PUBLIC, PRIVATE = range(len(USAGES))

PUBLIC_SHARE = 0.1
"""Share of Training that decides where the authors of a data set give out images that judge, and none that decide."""


class Rule(NamedTuple):
    """How images come to their split."""

    kind: Literal["official", "random"] = "official"
    test_share: float = 0.3
    """share of the images that a random split holds out"""
    seed: int = 1


OFFICIAL = Rule()


def divided(source: Source, rule: Rule) -> Faces:
    """Give the images of `source` their splits by `rule`.

    An official split stays as it is. Of one with training and test images alone, the test images are PrivateTest, and
    a tenth of the others, drawn by seed, is PublicTest. Where there is none, the split is random: `rule.test_share`
    of the images is held out, drawn by seed, half of it PublicTest and half PrivateTest. All draws are in the
    proportions of the expressions.
    """
    faces = source.faces
    if rule.kind == "random" or not source.usages:
        return replace(faces, usage=random_usage(faces.label, rule.test_share, rule.seed))
    if "PublicTest" not in source.usages:
        training = np.flatnonzero(faces.usage == TRAINING)
        drawn = stratified(faces.label[training], round(len(training) * PUBLIC_SHARE), rule.seed)
        usage = faces.usage.copy()
        usage[training[drawn]] = PUBLIC
        return replace(faces, usage=usage)
    return faces


def random_usage(label: NDArray[np.uint8], test_share: float, seed: int) -> NDArray[np.uint8]:
    """Draw the usage of images with these labels (N,): uint8 (N,), an index into `USAGES`."""
    held_out = np.flatnonzero(stratified(label, round(len(label) * test_share), seed))
    judging = stratified(label[held_out], len(held_out) // 2, seed)
    usage = np.zeros(len(label), np.uint8)
    usage[held_out] = np.where(judging, PRIVATE, PUBLIC)
    return usage

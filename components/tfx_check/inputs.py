"""What the stage reads beside TFRecords and model, each held to the others. All raise `InputError`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.fer import ferplus
from components.fer.dataset import USAGES, Masks, Predictions
from components.fer.errors import InputError
from components.tfx_check import slices
from components.tfx_check.config import Config
from components.tfx_check.slices import Texts

PUBLIC, PRIVATE = USAGES.index("PublicTest"), USAGES.index("PrivateTest")

BLESSED, NOT_BLESSED = "BLESSED", "NOT_BLESSED"


@dataclass(frozen=True, eq=False)
class Answers:
    """What evaluate stored for the images of one usage, in their order."""

    row: NDArray[np.int32]
    """(N,), row in the source"""
    label: NDArray[np.uint8]
    """(N,), index into `EIGHT`"""
    probabilities: NDArray[np.float32]
    """(N, E)"""

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each image's most probable expression is its label: (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.label)


@dataclass(frozen=True, eq=False)
class Given:
    """All that the stage reads beside TFRecords and model."""

    masks: Masks
    public: Answers
    private: Answers
    certainty: Texts | None
    """FER+ certainty of each image of the source, where there are votes"""
    metrics: Mapping[str, Any]
    """the tree of metrics.json"""
    version: str
    """the stored version"""
    blessed: bool
    """whether the gate has blessed it"""


def read(config: Config) -> Given:
    """Read the inputs."""
    masks = Masks.load(config.masks_npz)
    public, private = read_answers(config.predictions_npz, masks, config.masks_npz)
    stored = read_tree(config.version_json, "version", "name", "version")
    if stored["name"] != config.name:
        raise InputError(
            f"version {config.version_json}: expected one of {config.name}, found one of {stored['name']}.",
            "Set registry.name to the name that was pushed, or push again: dvc repro push-model",
        )
    return Given(
        masks,
        public,
        private,
        read_certainty(config.ferplus, len(masks), public),
        read_tree(config.metrics_json, "metrics", "public", "private", "majority_baseline"),
        stored["version"],
        is_blessed(config.blessing),
    )


def read_answers(path: Path, masks: Masks, where: Path) -> tuple[Answers, Answers]:
    """The stored answers to PublicTest and to PrivateTest; `masks`, read from `where`, must know their rows."""
    stored = Predictions.load(path)
    if len(stored) and int(stored.row.max()) >= len(masks):
        raise InputError(
            f"masks {where}: expected an entry for each image up to row {stored.row.max():,}, found {len(masks):,}.",
            "Predictions and masks must come from one data set: dvc repro",
        )
    public, private = (
        Answers(*(column[stored.usage == usage] for column in (stored.row, stored.label, stored.probabilities)))
        for usage in (PUBLIC, PRIVATE)
    )
    if not len(public.row):
        raise InputError(f"predictions {path}: expected PublicTest images, found none.", "dvc repro evaluate")
    return public, private


def read_certainty(path: str, count: int, public: Answers) -> Texts | None:
    """The FER+ certainty of each of the `count` images of the source; None without a path.

    evaluate, which has the same file, has already held the votes to the labels; here PublicTest must be where it was.
    """
    if not path:
        return None
    mend = ferplus.MEND.format(parameter="evaluate.ferplus")
    votes, usage = ferplus.read(Path(path), count, mend)
    if (usage[public.row] != USAGES[PUBLIC]).any():
        raise InputError(f"FER+ votes {path}: expected PublicTest where the data set has it, received others.", mend)
    return slices.certainty(votes)


def read_tree(path: Path, what: str, *keys: str) -> Mapping[str, Any]:
    """A JSON object that has `keys`."""
    try:
        tree = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{what} {path}: expected JSON, received: {error}.", "Write it again: dvc repro") from error
    missing = [key for key in keys if not isinstance(tree, dict) or key not in tree]
    if missing:
        raise InputError(f"{what} {path}: expected {', '.join(keys)}, found no {missing[0]}.", "dvc repro")
    return tree  # type: ignore[no-any-return]


def is_blessed(folder: Path) -> bool:
    """What the gate's blessing says: the folder holds one of two files, and its properties say the same."""
    found = [name for name in (BLESSED, NOT_BLESSED) if (folder / name).is_file()]
    told = read_tree(folder / "properties.json", "blessing", "blessed")["blessed"]
    if len(found) != 1 or told != int(found[0] == BLESSED):
        raise InputError(
            f"blessing {folder}: expected one file {BLESSED} or {NOT_BLESSED} and properties that agree, found "
            f"{' and '.join(found) or 'none'} and blessed {told}.",
            "Write it again: dvc repro push-model",
        )
    return found[0] == BLESSED

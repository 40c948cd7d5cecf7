"""The evaluated models of a run: their metrics, and what follows from their answers where these are at hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.evaluate.measure import FORMS
from components.fer.dataset import USAGES, Masks, Predictions
from components.fer.metrics import bootstrap, calibration, scores
from components.fer.metrics.bootstrap import Interval
from components.fer.metrics.calibration import Reliability
from components.fer.metrics.scores import Counts, Floats, Labels
from pipeline import compare

Tree = Mapping[str, Any]

SETS = {"PublicTest": "public", **{f"PrivateTest, {form.replace('_', '-')}": f"private.{form}" for form in FORMS}}
"""Sets of images by title, with their places in metrics.json."""

WHOLE = {"PublicTest": "PublicTest", "PrivateTest, full": "PrivateTest"}
"""Those that are shown expression by expression, with their names in the csv."""

FIGURES = {"precision": scores.precision, "recall": scores.recall, "f1": scores.f1}
"""What is measured of each expression, by its name in metrics.json."""

AS_IT_SAYS = "as the model says"


class Answers(NamedTuple):
    """What a model says of N images."""

    label: Labels
    """(N,)"""
    answer: Labels
    """(N,)"""
    group: bootstrap.Groups
    """(N,), equal exactly for copies"""


@dataclass(frozen=True, eq=False)
class Expressions:
    """A set of images, expression by expression."""

    counts: Counts
    """(E, E), rows actual and columns predicted"""
    rows: list[Tree]
    """one for each expression, as evaluate writes them"""
    intervals: dict[str, tuple[Interval | None, ...]]
    """of each of `FIGURES`, for each expression; none where it has no such figure"""


@dataclass(frozen=True, eq=False)
class Model:
    """An evaluated model."""

    name: str
    stage: str
    """that evaluated it"""
    metrics: Tree
    """of metrics.json"""
    expressions: dict[str, Expressions]
    """by the title of the set of images"""
    by_copies: bool
    """whether intervals draw groups of copies; else each image by itself, as the copies are not known here"""
    reliability: dict[str, Reliability]
    """on PublicTest, as the model says and, where its answers are at hand, after temperature scaling"""

    @property
    def sets(self) -> dict[str, tuple[str, Tree]]:
        """Place in metrics.json and figures of each set of images, by title."""
        return {title: (place, at(self.metrics, place)) for title, place in SETS.items()}


def read(folder: Path) -> list[Model]:
    """The models evaluated in the job of `folder`. Raises `InputError` where there are none."""
    return [_model(folder, name, metrics) for name, metrics in compare.read(folder / "results").items()]


def answers_of(folder: Path, stage: str) -> Predictions | None:
    """What the model says that `stage` evaluated in the job of `folder`; none where that is not on this machine."""
    path = folder / "artifacts" / stage / "predictions.npz"
    return Predictions.load(path) if path.is_file() else None


def at(tree: Tree, place: str) -> Tree:
    """The branch of a tree at `place`, such as private.full."""
    for key in place.split("."):
        tree = tree[key]
    return tree


def expressions(sample: Tree, answers: Answers, resamples: int, seed: int) -> Expressions:
    """A sample of metrics.json, with the intervals that its answers give."""
    counts, (label, answer, group) = np.array(sample["confusion"]), answers
    drawn = bootstrap.resampled_confusions(label, answer, len(counts), group, resamples, seed)
    intervals = {name: tuple(_intervals(figure(drawn))) for name, figure in FIGURES.items()}
    return Expressions(counts, sample["per_class"], intervals)


def _intervals(drawn: Floats) -> Iterator[Interval | None]:
    """Of each expression's figures (resamples, E); a sample may do without a rare expression, or an answer of it."""
    for figures in drawn.T:
        known = figures[~np.isnan(figures)]
        yield bootstrap.percentile_interval(known) if known.size else None


def apart(counts: Counts) -> Answers:
    """The answers that a confusion matrix (E, E) counts, each image a group of its own."""
    label, answer = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    return Answers(label, answer, np.arange(len(label)))


def in_bins(table: NDArray[np.float64]) -> Reliability:
    """The bins of calibration.csv, which leaves out the empty ones: rows of confidence, accuracy and images."""
    whole = np.full((calibration.BINS, 3), np.nan)
    whole[np.ceil(table[:, 0] * calibration.BINS).astype(int) - 1] = table
    return Reliability(whole[:, 0], whole[:, 1], np.nan_to_num(whole[:, 2]).astype(np.int64))


def _model(folder: Path, name: str, metrics: Tree) -> Model:
    stage = f"evaluate-{name}" if (folder / "results" / f"evaluate-{name}").is_dir() else "evaluate"
    _, _, other = stage.partition("-on-")  # evaluate-X-on-D is of X on another data set
    masks = folder / "artifacts" / (f"validate-{other}" if other else "validate") / "masks.npz"
    said = answers_of(folder, stage)
    groups = Masks.load(masks).copy_group if said and masks.is_file() else None
    if said:
        reliability = dict(_reliability(said, metrics["temperature"]))
    else:
        rows = np.loadtxt(folder / "results" / stage / "calibration.csv", delimiter=",", skiprows=1, ndmin=2)
        reliability = {AS_IT_SAYS: in_bins(rows)}
    found = {}
    for title, usage in WHOLE.items():
        sample = at(metrics, SETS[title])
        if sample["n"]:
            answers = apart(np.array(sample["confusion"]))
            if said and groups is not None:
                answers = _answers(said, usage, groups)
            found[title] = expressions(sample, answers, metrics["resamples"], metrics["seed"])
    return Model(name, stage, metrics, found, groups is not None, reliability)


def _answers(said: Predictions, usage: str, groups: bootstrap.Groups) -> Answers:
    mine = said.usage == USAGES.index(usage)
    return Answers(said.label[mine], scores.predicted(said.probabilities[mine]), groups[said.row[mine]])


def _reliability(said: Predictions, temperature: float) -> Iterator[tuple[str, Reliability]]:
    mine = said.usage == USAGES.index("PublicTest")
    probabilities, label = said.probabilities[mine], said.label[mine]
    yield AS_IT_SAYS, calibration.reliability(probabilities, label)
    scaled = calibration.scaled(probabilities, temperature)
    yield f"after temperature {temperature:.2f}", calibration.reliability(scaled, label)

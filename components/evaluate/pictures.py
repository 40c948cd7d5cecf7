"""Which figures are drawn, from what, and where they belong."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from components.evaluate import figures
from components.evaluate.history import History
from components.evaluate.measure import FORMS, Sample
from components.fer.metrics import calibration, scores


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure with its place."""

    section: str
    """place in the report: confusion, per_class, calibration or learning"""
    figure: Figure
    description: str
    """what it shows, for those who cannot see it"""


def draw(samples: Mapping[str, Sample], temperature: float, histories: Mapping[str, History]) -> dict[str, Picture]:
    """Every picture by the name of its file; `samples` are public and the forms of PrivateTest, some of them empty."""
    filled = {name: sample for name, sample in samples.items() if len(sample)}
    titles = {"public": "PublicTest", **{form: f"PrivateTest, {form.replace('_', '-')}" for form in FORMS}}
    confusions = {name: _confusion(sample) for name, sample in filled.items()}
    drawn = {
        f"confusion_{name}": Picture(
            "confusion",
            figures.confusion(confusions[name], titles[name]),
            f"Confusion matrix on {titles[name]}; recall and frequent mistakes are in the tables above.",
        )
        for name in ("public", "full")
        if name in filled
    }
    drawn["per_class"] = Picture(
        "per_class",
        figures.per_class({titles[name]: scores.recall(counts) for name, counts in confusions.items()}),
        "Recall of each expression on PublicTest and the forms of PrivateTest.",
    )
    drawn["reliability"] = Picture(
        "calibration",
        figures.reliability_diagram(_reliability(filled["public"], temperature)),
        "Share of right answers over confidence in 15 bins on PublicTest, before and after temperature scaling.",
    )
    for name, history in histories.items():
        drawn[f"learning_{name}"] = Picture(
            "learning",
            figures.learning_curves(history, f"Training of {name}"),
            f"Accuracy and loss per epoch of the training named {name}, on Training and PublicTest.",
        )
    return drawn


def write(pictures: Mapping[str, Picture], folder: Path) -> None:
    """Write each picture as PNG and SVG into a new folder."""
    folder.mkdir()
    for name, picture in pictures.items():
        figures.write(picture.figure, folder, name)


def _confusion(sample: Sample) -> scores.Counts:
    return scores.confusion_matrix(sample.label, scores.predicted(sample.probabilities))


def _reliability(sample: Sample, temperature: float) -> dict[str, calibration.Reliability]:
    scaled = calibration.scaled(sample.probabilities, temperature)
    return {
        "as the model says": calibration.reliability(sample.probabilities, sample.label),
        f"after temperature {temperature:.2f}": calibration.reliability(scaled, sample.label),
    }

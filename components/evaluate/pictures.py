"""Which figures are drawn, from what, and where they belong."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from components.evaluate import faces, figures
from components.evaluate.history import History
from components.evaluate.measure import FORMS, Sample
from components.fer.metrics import calibration, scores

SECTIONS = ("confusion", "per_class", "calibration", "learning", "features", "maps", "mistakes")


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure with its place."""

    section: str
    """place in the report: one of `SECTIONS`"""
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


def draw_inside(
    public: Sample,
    images: NDArray[np.uint8],
    shown: NDArray[np.intp],
    placed: NDArray[np.float32],
    maps: NDArray[np.float32] | None,
) -> dict[str, Picture]:
    """The pictures that only some want: features, feature maps where there are any, and the worst mistakes.

    `images` (N, 48, 48, 1) are those of `public`; the images `shown` (n,) are `placed` (n, 2) in the plane; `maps` are
    those of the first image.
    """
    worst = faces.confident_mistakes(public.probabilities, public.label)[: faces.ROWS * faces.COLUMNS]
    drawn = {
        "features": Picture(
            "features",
            figures.plane(placed, public.label[shown]),
            f"{len(shown):,} PublicTest images by t-SNE of what the last layer decides on, coloured by their label.",
        ),
        "mistakes": Picture(
            "mistakes",
            faces.gallery(images[worst], public.probabilities[worst], public.label[worst]),
            f"The {len(worst)} PublicTest images on which the model is most sure of a wrong answer.",
        ),
    }
    if maps is not None:
        drawn["maps"] = Picture(
            "maps",
            faces.feature_maps(images[0], maps),
            "The first PublicTest image, and the feature maps of the first convolution for it.",
        )
    return drawn


def write(pictures: Mapping[str, Picture], folder: Path) -> None:
    """Write each picture as PNG and SVG into a new folder."""
    folder.mkdir()
    for name, picture in pictures.items():
        figures.write(picture.figure, folder, name)


def _confusion(sample: Sample) -> scores.Counts:
    return scores.confusion_matrix(sample.label, scores.predicted(sample.probabilities), sample.expressions)


def _reliability(sample: Sample, temperature: float) -> dict[str, calibration.Reliability]:
    scaled = calibration.scaled(sample.probabilities, temperature)
    return {
        "as the model says": calibration.reliability(sample.probabilities, sample.label),
        f"after temperature {temperature:.2f}": calibration.reliability(scaled, sample.label),
    }

"""Pictures that show images of the data set: they are for the machine that has it, and go nowhere else."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from components.evaluate.figures import WIDTH, styled
from components.fer.dataset import EIGHT
from components.fer.metrics import scores

ROWS, COLUMNS = 6, 4
"""of the gallery"""
MAPS = 63
"""most feature maps in a picture, which with the image before them fill 8 by 8"""


def confident_mistakes(probabilities: scores.Probabilities, label: scores.Labels) -> NDArray[np.intp]:
    """Where the model is wrong: indices, the most confident mistake first."""
    wrong = np.flatnonzero(scores.predicted(probabilities) != label)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


@styled
def gallery(images: NDArray[np.uint8], probabilities: scores.Probabilities, label: scores.Labels) -> Figure:
    """At most 24 images (N, 48, 48, 1), each with what the model says, how sure it is, and its label."""
    figure = Figure(figsize=(WIDTH, 8.4), layout="constrained")
    cells = _cells(figure, ROWS, COLUMNS)
    answer = scores.predicted(probabilities)
    for axes, image, row, said, true in zip(cells, images, probabilities, answer, label, strict=False):
        axes.imshow(image[..., 0], cmap="gray", vmin=0, vmax=255, interpolation="none")
        axes.set_title(f"{EIGHT[said]} {100 * row[said]:.0f} %\nlabel {EIGHT[true]}", fontsize=8)
    return figure


@styled
def feature_maps(image: NDArray[np.uint8], maps: NDArray[np.float32]) -> Figure:
    """An image (48, 48, 1) and what each filter answers to it (H, W, C): black its least value, white its greatest."""
    shown = [image[..., 0], *np.moveaxis(maps, -1, 0)[:MAPS]]
    side = int(np.ceil(np.sqrt(len(shown))))
    figure = Figure(figsize=(WIDTH, WIDTH), layout="constrained")
    for axes, picture in zip(_cells(figure, side, side), shown, strict=False):
        axes.imshow(picture, cmap="gray", interpolation="none")
    return figure


def _cells(figure: Figure, rows: int, columns: int) -> list[Axes]:
    cells = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in cells:
        axes.set_axis_off()
    return cells

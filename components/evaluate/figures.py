"""The pictures of the evaluation: the same bytes for the same figures.

Widths suit a phone: text stays legible when a picture is 340 pixels wide. Colours are Okabe and Ito's, which people
with any colour vision tell apart, and each series has a mark of its own besides.
"""

import html
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from components.evaluate.history import History, kept_epoch
from components.fer.dataset import EIGHT, expression_count, expression_names
from components.fer.metrics import scores
from components.fer.metrics.calibration import Reliability

INK = "#1f2328"
GRID = "#8c959f"
BLUE, ORANGE, GREEN, PINK = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
EXPRESSION_COLOURS = (ORANGE, GREEN, PINK, "#e69f00", BLUE, "#56b4e9", "#7f7f7f", "#000000")
EXPRESSION_MARKS = "osDP^vXd"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "white",
    "grid.color": GRID,
    "grid.alpha": 0.35,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "ferflow",
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}
WIDTH = 4.8
"""inches"""

# Ticks and legends are made late, so the style must hold while a figure is built and again while it is drawn.
styled = mpl.rc_context(STYLE)


@styled
def write(figure: Figure, folder: Path, name: str) -> None:
    """Write `<name>.png` and `<name>.svg`."""
    figure.savefig(folder / f"{name}.png", format="png", dpi=144, metadata={"Software": None})
    (folder / f"{name}.svg").write_bytes(_svg(figure))


def inline_svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an `<svg>` element for HTML: takes the page's text colour, and names no address.

    `name` keeps its ids apart from those of other figures on the page; `description` is read aloud in its place.
    """
    text = _svg(figure, salt=name, transparent=True).decode()
    head, body = text[text.index("<svg") :].split(">", maxsplit=1)
    head = re.sub(r' (xmlns(:\w+)?|width|height)="[^"]*"', "", head)  # HTML knows the namespaces, CSS sets the size
    body = re.sub(r' id="[\w.]+_\d+"', "", body)  # nothing refers to these, and they recur in every figure
    label = html.escape(description)
    return f'{head} role="img" aria-label="{label}">{body}'.replace(INK, "currentColor")


def _svg(figure: Figure, salt: str = "ferflow", transparent: bool = False) -> bytes:
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({**STYLE, "svg.hashsalt": salt}):
        figure.savefig(buffer, format="svg", metadata=nothing, transparent=transparent)
    return buffer.getvalue()


@styled
def confusion(counts: scores.Counts, title: str) -> Figure:
    """Confusion matrix (E, E): shade and upper figure are the share of the row in percent, below it images."""
    shares = np.nan_to_num(scores.row_normalised(counts))
    figure = Figure(figsize=(WIDTH, 4.7), layout="constrained")
    axes = figure.subplots()
    names = expression_names(len(counts))
    ticks = np.arange(len(names))
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=1)
    for row, column in np.ndindex(shares.shape):
        axes.text(
            column + 0.5,
            row + 0.5,
            f"{100 * shares[row, column]:.0f}\n({counts[row, column]})",
            ha="center",
            va="center",
            fontsize=8.5,
            color="#ffffff" if shares[row, column] > 0.55 else "#111111",
        )
    axes.set_xticks(ticks + 0.5, names, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks + 0.5, names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.invert_yaxis()
    axes.set(aspect="equal", xlabel="predicted", ylabel="actual", title=title)
    return figure


@styled
def learning_curves(history: History, title: str) -> Figure:
    """Accuracy and loss per epoch on Training and PublicTest; a line marks the epoch that was kept."""
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    panels = figure.subplots(1, 2)
    figure.suptitle(title, fontsize=10)
    kept = history["epoch"][kept_epoch(history)]
    for axes, name, factor, unit in zip(panels, ("accuracy", "loss"), (100, 1), ("%", "nats"), strict=True):
        for prefix, label, colour, mark in (("", "Training", BLUE, "o"), ("val_", "PublicTest", ORANGE, "s")):
            values = factor * np.array(history[prefix + name])
            axes.plot(history["epoch"], values, color=colour, marker=mark, markersize=3.5, label=label)
        axes.axvline(kept, color=GRID, linestyle=":", label=f"kept: epoch {kept:.0f}")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(axis="y")
        axes.set(xlabel="epoch", ylabel=f"{name} in {unit}")
    panels[0].legend(fontsize=8)
    return figure


@styled
def reliability_diagram(tables: Mapping[str, Reliability]) -> Figure:
    """Accuracy over confidence in bins for each named table, with the images per bin of the first below."""
    figure = Figure(figsize=(WIDTH, 4.7), layout="constrained")
    upper, lower = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    upper.plot((0, 100), (0, 100), color=GRID, linestyle="--", label="honest")
    for (label, table), colour, mark in zip(tables.items(), (BLUE, ORANGE), "os", strict=False):
        filled = table.count > 0
        line = 100 * table.confidence[filled], 100 * table.accuracy[filled]
        upper.plot(*line, color=colour, marker=mark, markersize=4.5, label=label)
    upper.legend(loc="upper left")
    upper.grid()
    upper.set(xlim=(0, 100), ylim=(0, 100), ylabel="right answers in %", title="Reliability on PublicTest")
    label, first = next(iter(tables.items()))
    bins = len(first.count)
    lower.bar(100 * (np.arange(bins) + 0.5) / bins, first.count, width=92 / bins, color=BLUE, label=label)
    lower.set(xlabel="confidence in %", ylabel="images")
    return figure


@styled
def per_class(recalls: Mapping[str, scores.Floats]) -> Figure:
    """Recall (E,) of each expression, one mark a named set of images; the best found expression on top."""
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    order = np.argsort(np.nan_to_num(next(iter(recalls.values()))), kind="stable")
    height = np.arange(len(order))
    for place, (label, recall) in enumerate(recalls.items()):
        colour, mark = (BLUE, ORANGE, GREEN, PINK)[place], "osD^"[place]
        spread = 0.13 * (place - (len(recalls) - 1) / 2)
        axes.plot(100 * recall[order], height - spread, mark, color=colour, markersize=5.5, label=label)
    axes.set_yticks(height, np.array(EIGHT)[order].tolist())
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.hlines(height[:-1] + 0.5, 0, 100, color=GRID, linewidth=0.5, alpha=0.35)
    axes.set(xlim=(0, 100), xlabel="recall in %", title="Recall of each expression")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return figure


@styled
def plane(placed: NDArray[np.float32], label: scores.Labels) -> Figure:
    """Images placed in the plane (N, 2), coloured by their label (N,); the axes have no unit and so no ticks."""
    figure = Figure(figsize=(WIDTH, 5.2), layout="constrained")
    axes = figure.subplots()
    shown = range(expression_count(label))
    for expression, colour, mark in zip(shown, EXPRESSION_COLOURS, EXPRESSION_MARKS, strict=False):
        points = placed[label == expression]
        axes.plot(*points.T, mark, color=colour, markersize=2.8, alpha=0.75, label=EIGHT[expression])
    axes.spines[:].set_visible(False)
    axes.set(xticks=(), yticks=(), aspect="equal", title="t-SNE of the features, by label")
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, markerscale=2, handletextpad=0.1)
    return figure

"""The page of a look at what is served: one HTML file that opens offline, with each figure's two distributions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from components.evaluate import figures
from components.fer.dataset import expression_names
from components.fer.metrics.scores import Floats
from pipeline.monitor.judged import Judged, shares
from pipeline.monitor.sample import EXPRESSIONS, MEASURED, Sample
from pipeline.report import render as report

UNITS = {
    "brightness": "mean grey, 0 to 255",
    "contrast": "standard deviation of grey",
    "sharpness": "variance of the Laplacian",
    "clipped": "black or white pixels, 0 to 1",
    "confidence": "probability of the answer, 0 to 1",
    "entropy": "of the probabilities, in bits",
}

BINS = 30

REFERENCE: dict[str, Any] = {"color": figures.BLUE, "label": "PublicTest"}
WINDOW: dict[str, Any] = {"color": figures.ORANGE, "label": "served"}


@dataclass(frozen=True, eq=False)
class Seen:
    """A version with what its page shows."""

    judged: Judged
    reference: Sample
    window: Sample


def render(name: str, seen: Sequence[Seen], when: datetime) -> str:
    """The page of a model's versions."""
    environment = jinja2.Environment(
        # The report's folder for its style sheet.
        loader=jinja2.FileSystemLoader([Path(__file__).parent, Path(report.__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("drift.html.j2").render(
        name=name, when=when, seen=[(one.judged, list(_pictures(one))) for one in seen]
    )


def _pictures(seen: Seen) -> Iterator[Markup]:
    """One picture for each figure, in their order."""
    for column, figure in enumerate(MEASURED):
        pair = (seen.reference.values[:, column], seen.window.values[:, column])
        yield _inline(seen, histogram(figure, *pair), figure)
    yield _inline(seen, bars(shares(seen.reference), shares(seen.window)), EXPRESSIONS)


@figures.styled
def histogram(name: str, reference: Floats, window: Floats) -> Figure:
    """How often each value of a figure occurs, in both samples; what is beyond all but 1 % stands in the last bins."""
    low, high = np.percentile(np.concatenate((reference, window)), (0.5, 99.5))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    figure, axes = _axes()
    for values, look in ((reference, REFERENCE | {"fill": True, "alpha": 0.45}), (window, WINDOW)):
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
        axes.stairs(100 * counts / len(values), edges, linewidth=1.8, **look)
    axes.set(title=name, xlabel=UNITS[name], ylabel="images in %")
    axes.legend(fontsize=8)
    return figure


@figures.styled
def bars(reference: Floats, window: Floats) -> Figure:
    """How often each expression (E,) is answered in both samples."""
    figure, axes = _axes()
    place = np.arange(len(reference))
    for values, look, aside in ((reference, REFERENCE, -0.2), (window, WINDOW, 0.2)):
        axes.bar(place + aside, 100 * values, width=0.38, **look)
    axes.set_xticks(place, expression_names(len(reference)), rotation=35, ha="right", rotation_mode="anchor")
    axes.set(title=EXPRESSIONS, ylabel="answers in %")
    axes.legend(fontsize=8)
    return figure


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(figures.WIDTH, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.grid(axis="y")
    return figure, axes


def _inline(seen: Seen, figure: Figure, name: str) -> Markup:
    finding = next(one for one in seen.judged.findings if one.figure == name)
    said = f"{name} of PublicTest and of what {seen.judged.version} answered: {finding.reference} and {finding.window}."
    return Markup(figures.inline_svg(figure, f"{seen.judged.version}_{name}", said))  # noqa: S704 (it escapes the words)

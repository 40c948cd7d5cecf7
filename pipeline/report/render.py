"""The page: one HTML file that opens offline. The same bytes for the same run."""

from collections.abc import Iterator
from pathlib import Path

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from components.evaluate import figures
from components.evaluate.measure import FORMS
from components.evaluate.report import NUMBERS, percent, words
from components.fer.dataset import EIGHT, EXPRESSIONS, SPLITS
from pipeline.report import drawing, measured
from pipeline.report.absent import Absent
from pipeline.report.gather import Report
from pipeline.report.stages import STATES, State

SECTIONS = {
    "results": "Results",
    "gate": "Gate",
    "graph": "The run",
    "data": "Data",
    "training": "Learning curves",
    "confusion": "Confusion",
    "expressions": "Expressions",
    "calibration": "Calibration",
    "origin": "Origin",
    "cost": "Time and cost",
    "images": "Image by image",
}

MARKS: dict[State, tuple[str, str]] = {
    "up to date": ("✓", "good"),
    "ran elsewhere": ("✓", "good"),
    "changed": ("↻", "wait"),
    "no record": ("○", "bad"),
}
"""Mark and tone of each state: neither is told by its colour alone."""

TONES = {"PROMOTE": "good", "HOLD": "wait", "REJECT": "bad"}

UNSCALED = Absent("The curve after the temperature needs the model's answers. A run leaves them:", "ferflow run")


def render(report: Report) -> str:
    """The page of a report."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "words": words,
        "number": number,
        "duration": duration,
        "at": measured.at,
    }
    return environment.get_template("page.html.j2").render(
        report=report,
        sections=SECTIONS.items(),
        expressions=EIGHT,
        number_of_classes=NUMBERS[_width(report)],
        splits=SPLITS,
        forms=FORMS,
        drawing=drawing.draw(report.stages),
        states=STATES,
        marks=MARKS,
        tones=TONES,
        unscaled=UNSCALED,
        gone=lambda entry: isinstance(entry, Absent),
        curves=list(_curves(report)),
        reliabilities=list(_reliabilities(report)),
    )


def _width(report: Report) -> int:
    """How many expressions the models of a job answer, the most of them; seven where none is evaluated."""
    return max((len(model.metrics["public"]["per_class"]) for model in report.models), default=len(EXPRESSIONS))


def number(value: float) -> str:
    """A figure of the gate: four digits, or that it is too small for that."""
    return "< 0.0001" if 0 < value < 1e-4 else f"{value:.4g}"


def duration(seconds: float) -> str:
    """A time in the two units that matter."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def _curves(report: Report) -> Iterator[Markup]:
    for name, history in report.histories.items():
        figure = figures.learning_curves(history, name)
        yield _inline(figure, name, f"Accuracy and loss per epoch of {name}, on Training and PublicTest.")


def _reliabilities(report: Report) -> Iterator[Markup]:
    for model in report.models:
        about = "" if len(report.models) == 1 else f" of {model.name}"
        figure = figures.reliability_diagram(model.reliability)
        said = (
            f"Share of right answers{about} over confidence in bins on PublicTest, {' and '.join(model.reliability)}."
        )
        yield _inline(figure, f"reliability_{model.stage}", said)


def _inline(figure: Figure, name: str, description: str) -> Markup:
    return Markup(figures.inline_svg(figure, name, description))  # noqa: S704 (it escapes the words)

"""The report: one HTML file that opens offline."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from components.evaluate import figures
from components.evaluate.measure import FORMS
from components.evaluate.pictures import SECTIONS, Picture

VIEWS = {"flip": "Mean over an image and its mirror image", "ten_crop": "Mean over ten views of an image"}
"""What the kinds of views are called."""

NUMBERS = {7: "seven", 8: "eight"}
"""How many expressions there may be, in words."""


def render(metrics: Mapping[str, Any], audit: Mapping[str, Any], pictures: Mapping[str, Picture]) -> str:
    """The report on `metrics` (the tree of metrics.json) and `audit` (audit.json, whatever it counts)."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "words": words}
    environment.tests["rectangular"] = rectangular
    return environment.get_template("report.html.j2").render(
        metrics=metrics,
        samples=_samples(metrics),
        views=_samples(metrics["views"], "views.") if metrics["views"] else {},
        views_title=VIEWS[metrics["views"]["kind"]] if metrics["views"] else "",
        titles={"public": "PublicTest"} | {f"private.{form}": form.replace("_", "-") for form in FORMS},
        forms=FORMS,
        expressions=(names := [row["expression"] for row in metrics["public"]["per_class"]]),
        number=NUMBERS[len(names)],
        audit=audit,
        leaves=leaves,
        pictures=_by_section(pictures),
    )


def _samples(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The measured sets of images by their paths in metrics.json, in the order of the columns."""
    private = {f"{prefix}private.{form}": tree["private"][form] for form in FORMS}
    return {f"{prefix}public": tree["public"], **private}


def _by_section(pictures: Mapping[str, Picture]) -> dict[str, list[Markup]]:
    """The pictures of each section of the report as `<svg>` elements."""
    return {
        section: [
            Markup(figures.inline_svg(picture.figure, name, picture.description))  # noqa: S704 (it escapes the words)
            for name, picture in pictures.items()
            if picture.section == section
        ]
        for section in SECTIONS
    }


def rectangular(tree: Any) -> bool:
    """Whether a tree is a table: an object of objects with the same keys."""
    if not isinstance(tree, dict) or not all(isinstance(row, dict) for row in tree.values()):
        return False
    return len({tuple(row) for row in tree.values()}) == 1


def leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The numbers and words of a tree, each with its path in words."""
    if isinstance(tree, dict):
        for key, entry in tree.items():
            yield from leaves(entry, (*path, str(key).replace("_", " ")))
    else:
        yield ", ".join(path), tree


def percent(share: float | None) -> str:
    """A share as percent with one digit, the last that means anything on 3,589 images."""
    return "\N{EN DASH}" if share is None else f"{100 * share:.1f}"


def words(value: Any) -> str:
    """A value as a reader wants it: thousands apart, names without underscores."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value).replace("_", " ")

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from components.evaluate import pictures, report
from components.evaluate.measure import Sample, measure_all, measure_views
from components.fer.dataset import EXPRESSIONS
from tests.components.evaluate.conftest import HISTORY, SETTINGS, drawn_inside

AUDIT = {
    "classes": {"training": {"all": 1234, "happy": 80}, "public": {"all": 70, "happy": 10}},
    "exact_copies": {"surplus": 3, "surplus_within": {"public": 1}},
    "source": "<script>alert(1)</script>",
}


class Page(HTMLParser):
    """What the tests want to know about a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.figures: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        if tag == "data":
            values = dict(attrs)
            self.figures[str(values["data-metric"])] = values["value"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"


PLAIN: dict[str, Any] = {"parameters": 1234567, "model_megabytes": 4.7, "branches": {}, "poses": [], "views": {}}


def tree(public: Sample, private: dict[str, Sample]) -> dict[str, Any]:
    return measure_all(public, private, SETTINGS) | PLAIN


@pytest.fixture(scope="module")
def metrics(samples: dict[str, Sample]) -> dict[str, Any]:
    """All that an evaluation may measure."""
    forms = {name: samples[name] for name in samples if name != "public"}
    branch = {"accuracy": 0.5, "gained": 12, "lost": 3, "p_better": 0.017578, "p_worse": 0.0}
    branch |= {"macro_f1": 0.41, "macro_f1_gain": 0.031, "macro_f1_gain_low": -0.012, "macro_f1_gain_high": 0.074}
    more = {
        "branches": {"first": branch, "second": branch},
        "views": measure_views("ten_crop", samples["public"], forms, SETTINGS),
        "poses": [{"pose": "<front>", "answer": "happy", **dict.fromkeys(EXPRESSIONS, 0.142857)}],
    }
    return tree(samples["public"], forms) | more


@pytest.fixture(scope="module")
def html(samples: dict[str, Sample], metrics: dict[str, Any]) -> str:
    drawn = pictures.draw(samples, 1.5, {"first": HISTORY, "hybrid": HISTORY})
    return report.render(metrics, AUDIT, drawn | drawn_inside(samples["public"]))


def test_every_element_is_closed_and_every_id_unique(html: str) -> None:
    page = Page(html)
    assert not page.open
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_nothing_in_it_leaves_the_file(html: str, samples: dict[str, Sample]) -> None:
    for outside in ("http:", "https:", "//", "src=", "@import", "url(h", "<script", "<link", "<img"):
        assert outside not in re.sub(r"base64,[\w+/=\s]+", "", html), outside
    links = [value or "" for name, value in Page(html).attributes if name in ("href", "xlink:href")]
    assert links
    images = [link for link in links if link.startswith("data:image/png;base64,")]
    mistakes = np.sum(samples["public"].probabilities.argmax(axis=1) != samples["public"].label)
    assert len(images) == mistakes + 1 + 5, "the gallery of mistakes, and an image with its five feature maps"
    ids = {f"#{value}" for name, value in Page(html).attributes if name == "id"}
    assert set(links) - set(images) <= ids


def test_figures_in_it_are_those_of_metrics_json(html: str, metrics: dict[str, Any]) -> None:
    figures = Page(html).figures
    assert {"public.accuracy", "private.full.accuracy_low", "private.clean_exact.macro_f1", "temperature"} <= set(
        figures
    )
    assert {
        "majority_baseline.private.full",
        "branches.second.macro_f1_gain_low",
        "views.private.full.macro_f1_low",
    } <= set(figures)
    for path, value in figures.items():
        expected: Any = metrics
        for key in path.split("."):
            expected = expected[key]
        assert value == str(expected), path


def test_headings_descend_and_tables_have_captions(html: str) -> None:
    tags = Page(html).tags
    assert tags.count("h1") == 1
    assert tags.count("table") == tags.count("caption") >= 7
    assert tags.count("figure") == tags.count("svg") == 9
    assert html.count('role="img" aria-label="') == 9


def test_it_adapts_to_dark_phone_and_print(html: str) -> None:
    for rule in ("prefers-color-scheme: dark", "max-width: 40rem", "@media print", 'name="viewport"'):
        assert rule in html


def test_the_audit_is_shown_and_escaped(html: str) -> None:
    assert "1,234" in html
    assert "surplus within, public" in html
    assert "&lt;script&gt;" in html


def test_without_private_images_public_ones_make_the_headline(samples: dict[str, Sample]) -> None:
    empty = dict.fromkeys(("full", "clean_exact", "clean_near"), samples["clean_near"])
    html = report.render(
        tree(samples["public"], empty), {}, pictures.draw({"public": samples["public"], **empty}, 1.5, {})
    )
    assert "PublicTest accuracy" in html
    assert "No image of this data set is left" in html


def test_what_only_some_want_is_in_sections_of_its_own(html: str) -> None:
    for heading in ("inside", "mistakes", "poses"):
        assert f'<h2 id="{heading}">' in html
        assert f'<li><a href="#{heading}">' in html
    assert "Mean over ten views of an image" in html
    assert "without test-time augmentation" not in html
    assert "&lt;front&gt;" in html
    assert "&lt; 0.0001" in html, "a p that six digits round to 0"


def test_what_was_not_wanted_is_not_there(samples: dict[str, Sample]) -> None:
    forms = {name: samples[name] for name in samples if name != "public"}
    html = report.render(tree(samples["public"], forms), {}, pictures.draw(samples, 1.5, {}))
    for heading in ("inside", "mistakes", "poses"):
        assert f"#{heading}" not in html
    for words in ("backbone", "views"):
        assert words not in html
    assert "without test-time augmentation" in html


def test_a_model_without_a_convolution_says_so(samples: dict[str, Sample], metrics: dict[str, Any]) -> None:
    drawn = pictures.draw(samples, 1.5, {}) | drawn_inside(samples["public"], maps=None)
    assert "no convolution" in report.render(metrics, {}, drawn)

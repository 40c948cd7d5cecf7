from html.parser import HTMLParser
from typing import Any

import pytest

from components.evaluate import pictures, report
from components.evaluate.measure import Sample, measure_all
from tests.components.evaluate.conftest import HISTORY, SETTINGS

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


@pytest.fixture(scope="module")
def metrics(samples: dict[str, Sample]) -> dict[str, Any]:
    return measure_all(samples["public"], {name: samples[name] for name in samples if name != "public"}, SETTINGS)


@pytest.fixture(scope="module")
def html(samples: dict[str, Sample], metrics: dict[str, Any]) -> str:
    return report.render(metrics, AUDIT, pictures.draw(samples, 1.5, {"first": HISTORY, "hybrid": HISTORY}))


def test_every_element_is_closed_and_every_id_unique(html: str) -> None:
    page = Page(html)
    assert not page.open
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_nothing_in_it_leaves_the_file(html: str) -> None:
    for outside in ("http:", "https:", "//", "src=", "@import", "url(h", "<script", "<link", "<img"):
        assert outside not in html, outside
    links = [value or "" for name, value in Page(html).attributes if name in ("href", "xlink:href")]
    assert links
    assert all(link.startswith("#") for link in links)
    ids = {value for name, value in Page(html).attributes if name == "id"}
    assert {link[1:] for link in links} <= ids


def test_figures_in_it_are_those_of_metrics_json(html: str, metrics: dict[str, Any]) -> None:
    figures = Page(html).figures
    assert {"public.accuracy", "private.full.accuracy_low", "private.clean_exact.macro_f1", "temperature"} <= set(
        figures
    )
    assert "majority_baseline.private.full" in figures
    for path, value in figures.items():
        expected: Any = metrics
        for key in path.split("."):
            expected = expected[key]
        assert value == str(expected), path


def test_headings_descend_and_tables_have_captions(html: str) -> None:
    tags = Page(html).tags
    assert tags.count("h1") == 1
    assert tags.count("table") == tags.count("caption") >= 5
    assert tags.count("figure") == tags.count("svg") == 6
    assert html.count('role="img" aria-label="') == 6


def test_it_adapts_to_dark_phone_and_print(html: str) -> None:
    for rule in ("prefers-color-scheme: dark", "max-width: 40rem", "@media print", 'name="viewport"'):
        assert rule in html


def test_the_audit_is_shown_and_escaped(html: str) -> None:
    assert "1,234" in html
    assert "surplus within, public" in html
    assert "&lt;script&gt;" in html


def test_without_private_images_public_ones_make_the_headline(samples: dict[str, Sample]) -> None:
    empty = dict.fromkeys(("full", "clean_exact", "clean_near"), samples["clean_near"])
    tree = measure_all(samples["public"], empty, SETTINGS)
    html = report.render(tree, {}, pictures.draw({"public": samples["public"], **empty}, 1.5, {}))
    assert "PublicTest accuracy" in html
    assert "No image of this data set is left" in html

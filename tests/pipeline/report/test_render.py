"""The page: what it says, and that it is whole and leads nowhere."""

import re
import shutil
from dataclasses import replace
from typing import Any

import html5lib
import pytest

from components.evaluate.report import percent
from components.fer.dataset import EXPRESSIONS
from pipeline.report.gather import Report
from pipeline.report.measured import at
from pipeline.report.render import SECTIONS, duration, number, render
from tests.pipeline.report.conftest import Ran

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"


def parsed(html: str) -> Any:
    """The page's tree. Any error that a browser would have to mend is raised."""
    return html5lib.HTMLParser(strict=True).parse(html)


def texts(page: Any, tag: str) -> list[str]:
    return [" ".join("".join(element.itertext()).split()) for element in page.iter(XHTML + tag)]


def test_it_is_valid_and_its_sections_are_in_order(html: str) -> None:
    page = parsed(html)
    assert [element.get("id") for element in page.iter(XHTML + "h2")] == list(SECTIONS)
    links = [element.get("href") for element in page.iter(XHTML + "a")]
    assert links == ["#main", *(f"#{name}" for name in SECTIONS)]
    assert len(texts(page, "h1")) == len(list(page.iter(XHTML + "main"))) == 1
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_a_model_that_learned_from_votes_is_said_to_have(report: Report) -> None:
    said = "Trained on FER+'s votes, not on the data set's own labels"
    assert said not in render(report)
    voted = replace(report.origin, parameters={"training.soft_labels": "data/fer2013new.csv"})
    assert said in render(replace(report, origin=voted))


def test_nothing_in_it_leads_out_of_the_file(html: str, html_with_images: str) -> None:
    for page in (html, html_with_images):
        assert not re.search(r"https?:|(?:src|href)=\"(?!#|data:image/png)|@import|url\((?!#)|<link", page)
        assert page.count("<script>") == 1


def test_images_are_in_it_only_on_demand(html: str, html_with_images: str) -> None:
    assert "<img" not in html
    assert "may be passed on" in html
    pictures = list(parsed(html_with_images).iter(XHTML + "img"))
    assert len(pictures) == 10 + 24
    assert all(picture.get("alt") for picture in pictures)
    assert "must not be passed on" in html_with_images


def test_every_table_has_a_caption_and_every_heading_a_scope(html: str) -> None:
    page = parsed(html)
    for table in page.iter(XHTML + "table"):
        assert table[0].tag == f"{XHTML}caption"
    assert all(heading.get("scope") for heading in page.iter(XHTML + "th"))
    boxes = [box for box in page.iter(XHTML + "div") if "scroll" in (box.get("class") or "")]
    assert len(boxes) == len(texts(page, "table")) + 1, "the graph scrolls too"
    assert all((box.get("role"), box.get("tabindex")) == ("region", "0") and box.get("aria-label") for box in boxes)


def test_figures_have_words_for_those_who_do_not_see_them(html: str) -> None:
    for picture in parsed(html).iter(SVG + "svg"):
        assert picture.get("aria-hidden") or (picture.get("role") == "img" and picture.get("aria-label"))


def test_headline_figures_are_those_of_metrics_json(report: Report, html: str) -> None:
    metrics = report.models[0].metrics
    found = {element.get("data-metric"): element.get("value") for element in parsed(html).iter(XHTML + "data")}
    assert set(found) == {
        "public.accuracy",
        "private.full.accuracy",
        "private.clean_exact.accuracy",
        "majority_baseline.public",
    }
    for place, value in found.items():
        branch, _, key = str(place).rpartition(".")
        assert value == str(at(metrics, branch)[key])


def test_each_check_of_the_gate_is_shown_with_what_came_of_it(report: Report, html: str) -> None:
    assert isinstance(report.verdict, dict)
    rows = [row for row in texts(parsed(html), "tr") if "held" in row and row.startswith(tuple(names(report)))]
    assert len(rows) == len(report.verdict["checks"]) >= 4
    for row, check in zip(rows, report.verdict["checks"], strict=True):
        assert ("not held" in row) is not check["passed"]
        assert number(check["value"]) in row
        assert number(check["limit"]) in row


def names(report: Report) -> list[str]:
    assert isinstance(report.verdict, dict)
    return [check["name"].replace("_", " ") for check in report.verdict["checks"]]


def test_each_cell_of_a_matrix_says_itself_in_words(report: Report, html: str) -> None:
    cells = [cell for cell in parsed(html).iter(XHTML + "td") if cell.get("data-words")]
    assert len(cells) == 2 * 49
    counts = report.models[0].expressions["PublicTest"].counts
    assert cells[1].get("data-words", "").startswith(f"{counts[0, 1]} of {counts[0].sum()} images labelled angry were")
    assert all(cell.get("tabindex") == "0" for cell in cells), "without scripts each is a stop"


def test_each_figure_of_an_expression_has_its_interval(report: Report, html: str) -> None:
    found = report.models[0].expressions["PublicTest"]
    happy = EXPRESSIONS.index("happy")
    line = next(row for row in texts(parsed(html), "tr") if row.startswith("happy") and " to " in row)
    for bounds in (found.intervals[figure][happy] for figure in ("precision", "recall", "f1")):
        assert bounds
        assert f"{percent(bounds.low)} to {percent(bounds.high)}" in line


def test_what_the_run_left_is_escaped(report: Report) -> None:
    assert isinstance(report.pushed, dict)
    page = render(replace(report, pushed={**report.pushed, "reasons": ["<script>alert(1)</script>"]}))
    assert "&lt;script&gt;alert(1)" in page


def test_what_is_absent_is_said_with_what_brings_it(ran: Ran) -> None:
    for folder in ("artifacts", "results/push-model"):
        shutil.rmtree(ran.folder / folder)
    html = render(ran.gather())
    parsed(html)
    assert "There is no results/push-model/version.json." in html
    assert "answers to each image are not on this machine" in html
    assert "draw each image by itself" in html
    assert "<code>ferflow run</code>" in html


def test_a_stage_without_a_time_says_so(html: str) -> None:
    rows = texts(parsed(html), "tr")
    assert any(row.startswith("validate") and "not recorded" in row for row in rows)
    assert any(row.startswith("train-hybrid") and "9 min 32 s training alone" in row for row in rows)


def test_what_is_not_as_it_was_is_named(ran: Ran) -> None:
    ran.status["evaluate"] = [{"changed deps": {"components/evaluate/run.py": "modified"}}]
    html = render(ran.gather())
    assert "<strong>evaluate</strong>: components/evaluate/run.py" in html
    assert "evaluate, changed, after" in html, "in the words of the graph too"


def test_the_same_run_gives_the_same_bytes(ran: Ran, html: str) -> None:
    assert render(ran.gather()) == html


@pytest.mark.parametrize(
    ("seconds", "words"), [(7.34, "7 s"), (59.9, "1 min 00 s"), (572.2, "9 min 32 s"), (7500, "2 h 05 min")]
)
def test_a_duration_has_the_units_that_matter(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("value", "text"), [(2.3e-304, "< 0.0001"), (0, "0"), (0.05, "0.05"), (39.2867, "39.29")])
def test_a_figure_of_the_gate_has_four_digits(value: float, text: str) -> None:
    assert number(value) == text

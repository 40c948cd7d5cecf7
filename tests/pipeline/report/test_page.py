"""The page in a real browser: it opens offline, without a word in the console, on any screen, and by keyboard."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

pytestmark = pytest.mark.browser

# As root it needs --no-sandbox; the rest keeps it from looking for Google's hosts.
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium here: apt-get install -y chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        yield started
        started.close()


@pytest.fixture
def file(html_with_images: str, tmp_path: Path) -> Path:
    return written(html_with_images, tmp_path)


@pytest.fixture
def file_to_pass_on(html: str, tmp_path: Path) -> Path:
    return written(html, tmp_path)


def written(html: str, folder: Path) -> Path:
    path = folder / "report.html"
    path.write_text(html)
    return path


def opened(browser: Browser, file: Path, **options: Any) -> tuple[Page, list[str]]:
    """The page, and what it asked for or complained of besides its own file."""
    page = browser.new_context(offline=True, **options).new_page()
    page.set_default_timeout(120_000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url))
    page.goto(file.as_uri())
    complaints.remove(file.as_uri())
    return page, [one for one in complaints if not one.startswith("data:image/png")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_asks_for_nothing_and_fits_and_is_accessible(browser: Browser, file: Path, width: int, scheme: str) -> None:
    page, complaints = opened(browser, file, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert complaints == []
    fits_and_is_accessible(page, width)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
    page.context.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_so_does_the_page_that_may_be_passed_on(browser: Browser, file_to_pass_on: Path, width: int) -> None:
    page, complaints = opened(browser, file_to_pass_on, viewport={"width": width, "height": 800})
    assert complaints == []
    assert page.locator("img").count() == 0
    assert "may be passed on" in page.locator("section[aria-labelledby=images]").inner_text()
    fits_and_is_accessible(page, width)
    page.context.close()


def fits_and_is_accessible(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    assert found.violations_count == 0, found.generate_report()


def test_marks_and_figures_of_the_gate_stay_on_one_line(browser: Browser, file: Path) -> None:
    page, _ = opened(browser, file, viewport={"width": 1280, "height": 800})
    # A champion's figures make the words longer than those of this run, and what stands beside them narrow.
    page.eval_on_selector_all("td.long", "all => all.forEach(cell => { cell.textContent = 'words '.repeat(60); })")
    cells = page.locator("[aria-label='Checks of the gate'] td:not(.long)")
    text = cells.all_inner_texts()
    assert {"✓ held", "< 0.0001"} <= set(text)
    # Rectangles of its text, a line each; those of one line share their upper edge.
    lines = """all => all.map(cell => { const range = document.createRange(); range.selectNodeContents(cell);
        return new Set([...range.getClientRects()].map(one => Math.round(one.top))).size; })"""
    assert {said for said, count in zip(text, cells.evaluate_all(lines), strict=True) if count != 1} == set()
    page.context.close()


def test_the_keyboard_reaches_the_report_and_each_cell(browser: Browser, file: Path) -> None:
    page, _ = opened(browser, file)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.locator(".confusion td[tabindex='0']").count() == 2, "one stop a matrix"
    page.locator(".confusion td").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    words = "getComputedStyle(document.activeElement, '::after').content"
    assert "images labelled fear were answered angry" in page.evaluate(words), "the last key leads out: nothing happens"
    page.context.close()


def test_without_scripts_each_cell_is_a_stop_and_speaks(browser: Browser, file: Path) -> None:
    page = browser.new_context(offline=True, java_script_enabled=False).new_page()
    page.goto(file.as_uri())
    cells = page.locator(".confusion td[tabindex='0']")
    assert cells.count() == 98
    cells.nth(8).hover()
    shown = cells.evaluate_all("all => all.map(cell => getComputedStyle(cell, '::after').content)")
    assert "images labelled disgust were answered disgust" in shown.pop(8)
    assert set(shown) == {"none"}, "one at a time"
    page.context.close()


def test_on_paper_nothing_is_cut_off(browser: Browser, file: Path) -> None:
    page, _ = opened(browser, file, viewport={"width": 718, "height": 1000})  # A4 less its margins, at 96 dpi
    assert not page.locator("details td").first.is_visible()
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    wide = "all => all.filter(one => one.scrollWidth > 718).map(one => one.ariaLabel)"
    assert page.eval_on_selector_all(".scroll", wide) == []
    assert page.locator("details td").first.is_visible(), "nobody opens it on paper"
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.context.close()

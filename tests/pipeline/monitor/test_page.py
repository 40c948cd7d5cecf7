"""The page: both distributions of each figure, offline, in any light."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from pipeline.monitor.command import FOLDER
from pipeline.monitor.sample import FIGURES
from tests.pipeline.monitor.conftest import Served
from tests.pipeline.report.test_page import browser, opened  # noqa: F401 -- a fixture


@pytest.fixture
def page(served: Served) -> Path:
    served.observe(served.earlier, right=60)
    served.observe(darker=60)
    served.monitor()
    return served.folder / FOLDER / "drift.html"


def test_it_shows_each_figure_of_each_version_and_names_no_address(served: Served, page: Path) -> None:
    text = page.read_text()
    assert text.count("<svg") == 2 * len(FIGURES)
    assert f"{served.champion}, champion" in text
    assert "DRIFT</span> of inputs" in text
    assert "NO DRIFT" in text
    assert re.findall(r"""(?:src|href)="[^#][^"]*|https?://""", text) == []
    said = re.findall(r'aria-label="(brightness of PublicTest [^"]*)"', text)
    assert len(said) == 2
    assert said[0] != said[1], "what the pictures show is in words too"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_opens_offline_and_fits_and_is_accessible(browser: Browser, page: Path, width: int, scheme: str) -> None:  # noqa: F811
    shown, complaints = opened(browser, page, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert complaints == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(shown, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    assert found.violations_count == 0, found.generate_report()
    shown.context.close()

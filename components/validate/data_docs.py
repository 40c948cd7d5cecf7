"""Great Expectations' Data Docs page of a validation, made to open without a network."""

import re
from pathlib import Path

from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.render import CollapseContent
from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

FETCHED = re.compile(
    r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<footer>.*?</footer>|url\('https?:[^']*'\)|onclick=\"[^\"]*\"",
    re.DOTALL,
)
"""What the page would fetch from Great Expectations' servers and from CDNs, and what would not work without it."""

LINK_TO_SUITE = re.compile(r'<a href="[^"]*/expectations/[^"]*"\s*>(.*?)</a>')
"""The page stands alone: what was expected is in it."""

STYLE = """
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 0 auto; padding: 1rem; }
  nav.sticky-top, .card.mb-3 { display: none; }
  .alert { background: #eef1f4; border-radius: 4px; padding: .5rem 1rem; margin-top: 1.5rem; }
  h4, h5, h6, .h6 { font-size: 1rem; font-weight: 600; margin: 0; }
  ul.nav { list-style: none; columns: 3; padding: 0; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .25rem .75rem; border-bottom: 1px solid #dde1e5; }
  th:first-child { width: 4rem; }
  th:last-child { width: 16rem; }
  .fa-check-circle::before { content: "\\2714"; color: #1a7f37; }
  .fa-times::before, .fa-exclamation-triangle::before { content: "\\2718"; color: #cf222e; }
</style>
"""
"""Stands in for Bootstrap and Font Awesome, which the page has from CDNs."""


def write(result: ExpectationSuiteValidationResult, folder: Path) -> None:
    """Write the page as `index.html` of a folder that does not exist yet."""
    folder.mkdir()
    (folder / "index.html").write_text(page(result), encoding="utf-8")


def page(result: ExpectationSuiteValidationResult) -> str:
    """Render the page that Great Expectations' site builder renders, as one file: the same for the same data."""
    result.meta["batch_spec"]["data_asset_name"] = "facts of each image"  # else it prints None
    document = ValidationResultsPageRenderer().render(result)
    document.page_title = "FER"
    for section in document.sections:
        # "Show more info": the time of loading, and random names that its script needs.
        section.content_blocks = [block for block in section.content_blocks if not isinstance(block, CollapseContent)]
    html = FETCHED.sub("", DefaultJinjaPageView().render(document))
    return LINK_TO_SUITE.sub(r"\1", html).replace("</head>", f"{STYLE}</head>")

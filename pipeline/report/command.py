"""Write the page of a run."""

import sys
from pathlib import Path

from pipeline.desk import ROOT
from pipeline.jobs import job
from pipeline.report.gather import gather
from pipeline.report.render import render

PAGE = Path("artifacts") / "report.html"


def main(recipe: str | None, with_images: bool) -> None:
    """Write the page of a recipe, or of the main job, and say where it is."""
    sys.stdout.write(f"report     {write(recipe, with_images).relative_to(ROOT)}\n")


def write(recipe: str | None, with_images: bool = False) -> Path:
    """Write the page where it differs from what is there, and return its path."""
    text = render(gather(recipe, with_images)).encode()
    page = job(recipe)[1].folder / PAGE
    if not page.is_file() or page.read_bytes() != text:
        page.parent.mkdir(exist_ok=True)
        unfinished = page.with_suffix(".unfinished")
        unfinished.write_bytes(text)
        unfinished.replace(page)
    return page

"""What a finished job gave, for the person at the terminal: the table, and where report and model are."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from pipeline.compile import ROOT, Job

SETS = {
    "PublicTest": ("public",),
    "Private, full": ("private", "full"),
    "Private, clean-exact": ("private", "clean_exact"),
    "Private, clean-near": ("private", "clean_near"),
}
"""Rows of the table, with the branch of metrics.json that holds each."""

HEADINGS = ("model", "images of", "n", "accuracy %", "95 % interval", "macro F1")


def show(job: Job, seconds: float) -> None:
    """Print the job's results, the addresses of what it made, and what to do next."""
    results, console = job.folder / "results", Console()
    version = _read(results / "push-model" / "version.json")
    table = Table(title="\nResults\n", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in HEADINGS[:2] else "right", no_wrap=True)
    for row in rows(version["name"], _read(results / "evaluate" / "metrics.json"), results):
        table.add_row(*row)
    console.print(table)
    place = job.folder.relative_to(ROOT)
    registry = yaml.safe_load((job.folder / "params.yaml").read_text())["registry"]["registry"]
    go_there = "" if job.folder == ROOT else f"cd {place} && "
    for line in (
        f"{version['name']} {version['version']}: {version['verdict']}",
        *(f"           {reason}" for reason in version["reasons"]),
        f"champion   {version['champion']}",
        f"report     {place / 'artifacts/evaluate/report.html'}",
        f"model      {place / version['store']}",
        f"time       {seconds / 60:.1f} minutes",
        "",
        "Next: look at the report; then (source .venv/bin/activate)",
        f"  the registry      {go_there}mlflow ui --backend-store-uri {registry}",
        f"  the curves        {go_there}dvc plots show --open",
        f"  another setting   edit {place / 'params.yaml'}, then the same command again",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def rows(name: str, metrics: Mapping[str, Any], results: Path) -> Iterator[tuple[str, ...]]:
    """The cells of the table: the backbones on PublicTest, the evaluated model on all sets, the majority class."""
    for path in sorted(results.glob("train-backbone*/metrics.json")):
        accuracy = _read(path)["public"]["accuracy"]
        yield path.parent.name.removeprefix("train-"), "PublicTest", "", f"{100 * accuracy:.2f}", "", ""
    for images, branch in SETS.items():
        found: Any = metrics
        for key in branch:
            found = found[key]
        if found["accuracy"] is None:
            yield name, images, "0", "none left", "", ""
            continue
        interval = f"{100 * found['accuracy_low']:.2f} to {100 * found['accuracy_high']:.2f}"
        accuracy, macro_f1 = f"{100 * found['accuracy']:.2f}", f"{found['macro_f1']:.3f}"
        yield name, images, f"{found['n']:,}", accuracy, interval, macro_f1
    baseline = metrics["majority_baseline"]
    yield f"always {baseline['expression']}", "PublicTest", "", f"{100 * baseline['public']:.2f}", "", ""


def _read(path: Path) -> Any:
    return json.loads(path.read_text())

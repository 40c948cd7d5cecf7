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
    "PrivateTest, full": ("private", "full"),
    "PrivateTest, clean-exact": ("private", "clean_exact"),
    "PrivateTest, clean-near": ("private", "clean_near"),
}
"""Rows of the table, with the branch of metrics.json that holds each."""


def show(job: Job, seconds: float) -> None:
    """Print the job's results, the addresses of what it made, and what to do next."""
    results, console = job.folder / "results", Console()
    metrics = _read(results / "evaluate" / "metrics.json")
    table = Table(title="Results", title_justify="left")
    for heading in ("model", "images", "of", "accuracy %", "95 % interval", "macro F1"):
        table.add_column(heading, justify="left" if heading in ("model", "images") else "right")
    for row in rows(metrics, results):
        table.add_row(*row)
    console.print(table)
    version = _read(results / "push-model" / "version.json")
    place = job.folder.relative_to(ROOT)
    registry = yaml.safe_load((job.folder / "params.yaml").read_text())["registry"]
    for line in (
        f"{version['name']} {version['version']}: {version['verdict']} ({'; '.join(version['reasons'])})",
        f"champion   {version['champion']}",
        f"report     {place / 'artifacts/evaluate/report.html'}",
        f"model      {place / version['store']}",
        f"time       {seconds / 60:.1f} minutes",
        "",
        "Next",
        f"  look at the registry      (cd {place} && mlflow ui --backend-store-uri {registry['registry']})",
        f"  look at the curves        dvc plots show --open {place / 'dvc.yaml'}" if job.folder != ROOT else "",
        f"  change a value and repeat edit {place / 'params.yaml'}, then the same command",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def rows(metrics: Mapping[str, Any], results: Path) -> Iterator[tuple[str, ...]]:
    """The cells of the table: the backbones on PublicTest, the evaluated model on all sets, the majority class."""
    for path in sorted(results.glob("train-backbone*/metrics.json")):
        accuracy = _read(path)["public"]["accuracy"]
        yield path.parent.name, "PublicTest", "", f"{100 * accuracy:.2f}", "", ""
    for name, branch in SETS.items():
        found: Any = metrics
        for key in branch:
            found = found[key]
        if found["accuracy"] is None:
            yield "evaluated model", name, "0", "none left", "", ""
            continue
        interval = f"{100 * found['accuracy_low']:.2f} to {100 * found['accuracy_high']:.2f}"
        accuracy, macro_f1 = f"{100 * found['accuracy']:.2f}", f"{found['macro_f1']:.3f}"
        yield "evaluated model", name, f"{found['n']:,}", accuracy, interval, macro_f1
    baseline = metrics["majority_baseline"]
    yield f"always {baseline['expression']}", "PublicTest", "", f"{100 * baseline['public']:.2f}", "", ""


def _read(path: Path) -> Any:
    return json.loads(path.read_text())

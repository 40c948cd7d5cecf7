"""What a finished job gave, for the person at the terminal: the table, and where report and model are."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from pipeline import parameters
from pipeline.desk import ROOT
from pipeline.jobs import Job

SETS = {
    "PublicTest": ("public",),
    "Private, full": ("private", "full"),
    "Private, clean-exact": ("private", "clean_exact"),
    "Private, clean-near": ("private", "clean_near"),
}
"""Rows of the table, with the branch of metrics.json that holds each."""

HEADINGS = ("model", "images of", "n", "accuracy %", "95 % interval", "macro F1")


def show(job: Job, seconds: float, made: Path | None = None) -> None:
    """Print the job's results, the addresses of what it made, and what to do next.

    `made` is the folder with what the stages wrote, where it is not the job's own.
    """
    folder = made or job.folder
    table = Table(title="\nResults\n", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in HEADINGS:  # a long name may run over two lines, figures may not
        justify: Literal["left", "right"] = "left" if heading in HEADINGS[:2] else "right"
        table.add_column(heading, justify=justify, no_wrap=heading != HEADINGS[0])
    for row in rows(folder / "results"):
        table.add_row(*row)
    console = Console()
    console.print(table)
    place, go_there = folder.relative_to(ROOT), "" if folder == ROOT else f"cd {folder.relative_to(ROOT)} && "
    pushed = _pushed(folder / "results")
    registry = parameters.document(job.folder / "params.yaml")["registry"]["registry"] if pushed else ""
    for line in (
        *_verdict(pushed, place),
        *(f"report     {path.relative_to(ROOT)}" for path in folder.glob("artifacts/report.html")),
        *(f"evaluated  {path.relative_to(ROOT)}" for path in sorted(folder.glob("artifacts/evaluate*/report.html"))),
        f"time       {seconds / 60:.1f} minutes",
        "",
        "Next: look at the report; then (source .venv/bin/activate)",
        *([f"  the registry      {go_there}mlflow ui --backend-store-uri {registry}"] if pushed else []),
        *([f"  the curves        {go_there}dvc plots show --open"] if folder == job.folder else []),
        f"  another setting   edit {job.folder.relative_to(ROOT) / 'params.yaml'}, then the same command again",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _verdict(pushed: Mapping[str, Any], place: Path) -> Iterator[str]:
    """What push-model decided, if the graph has it."""
    if pushed:
        yield f"{pushed['name']} {pushed['version']}: {pushed['verdict']}"
        yield from (f"           {reason}" for reason in pushed["reasons"])
        yield f"champion   {pushed['champion'] or 'none yet'}"
        yield f"model      {place / pushed['store']}"


def rows(results: Path) -> Iterator[tuple[str, ...]]:
    """The table's cells: a hybrid's backbones on PublicTest, each evaluated model on all sets, the majority class.

    A mean over views of each image has rows of its own.
    """
    if (results / "train-hybrid").is_dir():
        for path in sorted(results.glob("train-backbone*/metrics.json")):
            accuracy = _read(path)["public"]["accuracy"]
            yield path.parent.name.removeprefix("train-"), "PublicTest", "", f"{100 * accuracy:.2f}", "", ""
    baseline: Mapping[str, Any] = {}
    for path in sorted(results.glob("evaluate*/metrics.json")):
        metrics = _read(path)
        name = path.parent.name.removeprefix("evaluate").removeprefix("-")
        model = name or _pushed(results).get("name", "model")
        yield from _measured(model, metrics)
        if views := metrics.get("views"):
            yield from _measured(f"{model}, {views['kind'].replace('_', '-')} views", views)
        baseline = metrics["majority_baseline"]
    if baseline:
        yield f"always {baseline['expression']}", "PublicTest", "", f"{100 * baseline['public']:.2f}", "", ""


def _measured(name: str, metrics: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
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


def _pushed(results: Path) -> Mapping[str, Any]:
    """What push-model wrote; nothing where the graph has none."""
    path = results / "push-model" / "version.json"
    found: Mapping[str, Any] = _read(path) if path.is_file() else {}
    return found


def _read(path: Path) -> Any:
    return json.loads(path.read_text())

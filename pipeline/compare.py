"""The evaluated models of a job side by side: a page that opens offline, and the same tables at the terminal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import rich.table
from rich.console import Console
from rich.text import Text

from components.fer.dataset import expression_names
from components.fer.errors import InputError
from pipeline import formulas
from pipeline.desk import ROOT
from pipeline.jobs import job

TRAININGS = ("train-backbone", "train-hybrid", "train")
"""What the name of a model's training begins with, in any graph; the rest is the model's name."""

ABSENT = "\N{EN DASH}"

Tree = Mapping[str, Any]


class Cell(NamedTuple):
    """One figure of a table."""

    text: str
    best: bool = False


Cells = tuple[Cell, ...]


class Table(NamedTuple):
    """Models in rows, each by name; `Cell`s in columns."""

    title: str
    headings: tuple[str, ...]
    rows: dict[str, Cells]


def main(recipe: str | None) -> None:
    """Print the tables of a recipe, or of the main job, and write artifacts/compare.html in its folder."""
    name, found = job(recipe)
    compared = tables(read(found.folder / "results"))
    page = found.folder / "artifacts" / "compare.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(html(name, compared), encoding="utf-8")
    console = Console()
    for table in compared:
        console.print(f"\n{table.title}", _terminal(table), sep="\n")
    console.print(f"\npage       {page.relative_to(ROOT)}", markup=False, highlight=False, soft_wrap=True)


def read(results: Path) -> dict[str, Tree]:
    """The metrics of each evaluated model by its name, and the `seconds` of its training.

    Raises `InputError` where there is none.
    """
    models: dict[str, Tree] = {}
    for path in sorted(results.glob("evaluate*/metrics.json")):
        name = path.parent.name.removeprefix("evaluate")
        trained, _, _ = name.partition("-on-")  # evaluate-X-on-D is of X on another data set
        files = (results / f"{stage}{trained}" / "metrics.json" for stage in TRAININGS)
        seconds = next((json.loads(file.read_text())["seconds"] for file in files if file.is_file()), None)
        models[name.removeprefix("-") or "model"] = {**json.loads(path.read_text()), "seconds": seconds}
    if not models:
        raise InputError(f"results {results}: expected evaluate*/metrics.json, found none.", "Run the job: ferflow run")
    return models


def tables(models: Mapping[str, Tree]) -> list[Table]:
    """The tables of the page: accuracy and cost, recall and precision of each expression, poses where there are any.

    Recall and precision are PublicTest's, as is the loss, the mean negative log-likelihood. The mean precision is of
    those expressions that were answered at all.
    """
    trees = list(models.values())
    columns = {
        "PublicTest %": _accuracy([tree["public"] for tree in trees]),
        "PrivateTest, full %": _accuracy([tree["private"]["full"] for tree in trees]),
        "loss": _least([tree["public"]["negative_log_likelihood"] for tree in trees], ".3f"),
        "parameters": _least([tree.get("parameters") for tree in trees], ",.0f"),
        "MB": _least([tree.get("model_megabytes") for tree in trees], ".1f"),
        "seconds of training": _least([tree["seconds"] for tree in trees], ",.0f"),
    }
    found = [_table("Accuracy and cost", models, columns)]
    for metric in ("recall", "precision"):
        per_class = [tree["public"]["per_class"] for tree in trees]
        expressions = expression_names(max(map(len, per_class)))
        means = [formulas.mean([row[metric] for row in rows]) for rows in per_class]
        columns = {"mean": _greatest(means, ".1f")} | {
            name: _greatest([rows[place][metric] if place < len(rows) else None for rows in per_class], ".1f")
            for place, name in enumerate(expressions)
        }
        found.append(_table(f"{metric.capitalize()} on PublicTest in %", models, columns))
    poses = [{pose["pose"]: pose for pose in tree.get("poses", ())} for tree in trees]
    if any(poses):
        names = dict.fromkeys(name for model in poses for name in model)
        columns = {name: tuple(_answer(model.get(name)) for model in poses) for name in names}
        found.append(_table("Answer to each pose, and how sure", models, columns))
    return found


def html(name: str, compared: Iterable[Table]) -> str:
    """The page of a job's tables."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("compare.html.j2").render(name=name, tables=compared)


def _table(title: str, models: Iterable[str], columns: Mapping[str, Cells]) -> Table:
    return Table(title, tuple(columns), dict(zip(models, zip(*columns.values(), strict=True), strict=True)))


def _accuracy(samples: list[Tree]) -> Cells:
    """Accuracies with their intervals; a sample may be empty."""
    bounds = [
        f" ({100 * one['accuracy_low']:.2f} to {100 * one['accuracy_high']:.2f})" if one["n"] else "" for one in samples
    ]
    cells = _greatest([one["accuracy"] for one in samples], ".2f")
    return tuple(Cell(cell.text + bound, cell.best) for cell, bound in zip(cells, bounds, strict=True))


def _greatest(shares: Sequence[float | None], form: str) -> Cells:
    """Shares in percent, the greatest marked."""
    best = max((share for share in shares if share is not None), default=None)
    return tuple(_cell(None if share is None else 100 * share, form, share == best) for share in shares)


def _least(values: list[float | None], form: str) -> Cells:
    """Values, the least marked."""
    best = min((value for value in values if value is not None), default=None)
    return tuple(_cell(value, form, value == best) for value in values)


def _cell(value: float | None, form: str, best: bool) -> Cell:
    return Cell(ABSENT) if value is None else Cell(format(value, form), best)


def _answer(pose: Tree | None) -> Cell:
    return Cell(f"{pose['answer']} {100 * pose[pose['answer']]:.0f} %" if pose else ABSENT)


def _terminal(table: Table) -> rich.table.Table:
    printed = rich.table.Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("model", *table.headings):
        printed.add_column(heading, justify="left" if heading == "model" else "right")
    for name, cells in table.rows.items():
        printed.add_row(name, *(Text(cell.text, "bold" if cell.best else "") for cell in cells))
    return printed

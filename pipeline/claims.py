"""Published figures beside what was measured here: recipes/NAME/claims.yaml becomes a table in recipes/NAME/README.md.

claims.yaml is written by hand and holds what a paper prints, where, what that means, and which figure of a run answers
it. A figure comes from the results of the recipe's full size, else of its smoke size, and a smoke size decides nothing
that depends on size: its figures are shown, and the verdict stays "not run".
"""

import csv
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from components.fer.dataset import EIGHT
from components.fer.errors import InputError
from pipeline import strict_yaml
from pipeline.desk import ROOT
from pipeline.formulas import FORMULAS
from pipeline.jobs import MAIN

SMOKE = "_smoke"
"""behind a recipe's name, its smoke size"""

BEGIN, END = "<!-- claims: written by `ferflow claims` -->", "<!-- end of claims -->"
TABLE = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)

HEADINGS = ("", "published", "what it means", "here", "verdict")

NOTHING = "nothing"
"""published, where a figure of ours has no counterpart in the paper"""

Size = Literal["arithmetic", "main job", "full", "smoke"]
"""Where a figure comes from; the first two need no run of the recipe."""

MAIN_JOB: Size = "main job"


def _known(formula: str) -> str:
    if formula not in FORMULAS:
        raise ValueError(f"expected one of {', '.join(FORMULAS)}. Received: {formula!r}")
    return formula


class Figure(strict_yaml.Entry):
    """A figure of a run, or arithmetic on figures."""

    name: str = ""
    """what it is, where a claim has several"""
    job: str = ""
    """another job that has the results: main, or a recipe"""
    formula: Annotated[str, AfterValidator(_known)] = "value"
    of: float | str | dict[str, float | str | list[float]]
    """arguments of the formula: numbers, or STAGE/FILE#DOTTED.PATH below results/; {row} is the row's name"""
    unit: str | None = None
    """the claim's own where it is absent; % multiplies by 100"""


class Row(strict_yaml.Entry):
    """A published figure for which more than its name differs from its group's others."""

    published: str
    within: float | None = None
    """instead of the group's"""
    words: dict[str, str | float] = Field(default_factory=dict)
    """what the templates of `Figure.of` need, by name"""


class Group(strict_yaml.Entry):
    """Published figures of one kind."""

    means: str
    """what the figures mean, in a plain sentence"""
    where: str
    """table, figure or section of the paper"""
    rows: dict[str, str | Row]
    """published figures as printed, by name, or `NOTHING`; a name ACTUAL>PREDICTED also gives {0} and {1}"""
    unit: str = ""
    within: float | None = None
    """how far the figure here may lie from the published one, in its unit; None is half of the last printed digit"""
    decided_by: Literal["full", "any"] = "full"
    """size of the run that decides: any, for what does not depend on images and epochs"""
    undecided: str = ""
    """why nothing decides, where nothing does"""
    data: str = ""
    """layout, as validate's audit names it, of the data set whose results alone decide; '' for any"""
    doubt: str = ""
    """what speaks against the published figure"""
    here: list[Figure] = Field(default_factory=list)
    """what answers it; the first decides, the others stand beside it"""


class Claims(strict_yaml.Entry):
    """A claims.yaml."""

    groups: list[Group]


class Reading(strict_yaml.Entry):
    """A figure as found; no value where a run has none to give."""

    value: float | None
    size: Size


def main(recipe: str | None, check: bool) -> None:
    """Write the tables that differ, or with `check` raise `InputError` where one does."""
    for folder in folders(recipe):
        claims = read(folder)
        readme = folder / "README.md"
        text = readme.read_text()
        if not TABLE.search(text):
            raise InputError(f"{readme}: expected the lines {BEGIN} and {END}, between which the table stands.")
        before, after = TABLE.split(text, maxsplit=1)
        right = f"{before}{BEGIN}\n{runs(folder)}\n\n{table(claims, folder)}\n{END}{after}"
        if check and right != text:
            raise InputError(f"claims of {folder.name}: the results say something else than {readme}.", "make generate")
        if not check:
            readme.write_text(right)
            sys.stdout.write(f"{folder.name}: {summary(claims, folder)}\n")


def folders(recipe: str | None) -> list[Path]:
    """The folders with a claims.yaml, or that of one recipe. Raises `InputError` where it has none."""
    found = {path.parent.name: path.parent for path in sorted((ROOT / "recipes").glob("*/claims.yaml"))}
    if recipe is not None and recipe not in found:
        raise InputError(f"claims of {recipe}: expected one of {', '.join(found)}.", "ls recipes/*/claims.yaml")
    return [found[recipe]] if recipe else list(found.values())


def read(folder: Path) -> Claims:
    """Read the folder's claims.yaml. Raises `InputError` for the first fault."""
    return strict_yaml.read(Claims, folder / "claims.yaml", "claims")


def runs(folder: Path) -> str:
    """What has been run, and what it cost: a sentence for each size that has results."""
    said = []
    for run, size in _sizes(folder).items():
        trained = [json.loads(path.read_text())["seconds"] for path in run.glob("results/train-*/metrics.json")]
        report = run / "results" / "preprocess" / "report.json"
        if trained and report.is_file():
            images = json.loads(report.read_text())["images"]["training"]["after"]
            cost = f"{len(trained)} on {images:,} images of Training, {sum(trained):,.0f} seconds together"
            said.append(f"Trainings run here, {size} size: {cost}.")
    return " ".join(said) or "No training of this recipe has been run here yet."


def table(claims: Claims, folder: Path) -> str:
    """The table in Markdown, a row for each published figure."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *rows(claims, folder)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def summary(claims: Claims, folder: Path) -> str:
    """How many published figures hold, do not hold, and were not run."""
    found = [verdict.partition(":")[0] for *_, verdict in rows(claims, folder) if verdict]
    counts = [f"{verdict} {found.count(verdict)}" for verdict in ("holds", "does not hold", "not run")]
    return f"{len(found)} published figures: {', '.join(counts)}"


def rows(claims: Claims, folder: Path) -> Iterator[tuple[str, ...]]:
    """The table's cells."""
    layout = _layout(folder)
    for group in claims.groups:
        doubt = f" Doubt: {group.doubt}" if group.doubt else ""
        means = f"{group.means} ({group.where}).{doubt}"
        for name, entry in group.rows.items():
            row = entry if isinstance(entry, Row) else Row(published=entry)
            found = [reading(figure, name, row, folder) for figure in group.here]
            here = [_cell(one, what, group, row) for one, what in zip(group.here, found, strict=True) if what]
            published = f"{row.published} {group.unit}".rstrip() if row.published != NOTHING else NOTHING
            decides = found[0] if found and group.data in ("", layout) else None
            yield name, published, means, ", ".join(here), verdict(group, row, decides)
            means = '"'  # ditto


def verdict(group: Group, row: Row, found: Reading | None) -> str:
    """Whether the published figure holds, and within what; "not run" with the reason where no figure decides."""
    if row.published == NOTHING:
        return ""
    if found is None:
        return f"not run: {group.undecided or 'no run yet'}"
    if found.size == "smoke" and group.decided_by == "full":
        return f"not run: {group.undecided or 'smoke size'}"
    given = next((reach for reach in (row.within, group.within) if reach is not None), None)
    within = 0.5 * 10.0 ** -_digits(row.published) if given is None else given
    # A little more, for a float is seldom the decimal that it is printed as.
    near = found.value is not None and abs(_scaled(found.value, group.unit) - _number(row.published)) <= within + 1e-9
    tolerance = f": ±{given:g} {'points' if group.unit == '%' else group.unit}".rstrip() if given else ""
    return f"{'holds' if near else 'does not hold'}{tolerance}"


def reading(figure: Figure, name: str, row: Row, folder: Path) -> Reading | None:
    """The figure for a row, None where a run that it needs has not been made."""
    arguments: dict[str, Any] = {}
    sizes: set[Size] = set()
    for key, given in (figure.of if isinstance(figure.of, dict) else {"of": figure.of}).items():
        if not isinstance(given, str):
            arguments[key] = given
            continue
        text = given.format(*name.split(">"), row=name, **row.words)
        if "#" not in text:
            arguments[key] = float(text)
            continue
        place, _, path = text.partition("#")
        found = _result(place, figure.job, folder)
        if found is None:
            return None
        arguments[key] = look(_content(found[0]), path, f"claims of {folder.name}: {text}")
        sizes.add(found[1])
    size: Size = "smoke" if "smoke" in sizes else next(iter(sizes), "arithmetic")
    undefined = None in arguments.values()
    return Reading(value=None if undefined else float(FORMULAS[figure.formula](**arguments)), size=size)


def look(tree: Any, path: str, where: str) -> Any:
    """The value at a dotted path; in tables and matrices of expressions, a step is an expression, or * for all.

    Raises `InputError`, which begins with `where`, if there is none.
    """
    step, _, rest = path.partition(".")
    if not step:
        return tree
    if step == "*":
        return [look(below, rest, where) for below in tree]
    try:
        below = tree[EIGHT.index(step)] if isinstance(tree, list) else tree[step]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where}: expected a value, found none at {step}.", "Correct claims.yaml.") from error
    return look(below, rest, where)


def _content(file: Path) -> Any:
    """What a JSON file holds; of a csv with a row an epoch, the last row."""
    text = file.read_text()
    if file.suffix == ".csv":
        *_, last = csv.DictReader(text.splitlines())
        return {"last": {name: float(value) for name, value in last.items()}}
    return json.loads(text)


def _result(place: str, job: str, folder: Path) -> tuple[Path, Size] | None:
    """The file of a run's results, the full size's if there is one, and its size."""
    candidates = {ROOT: MAIN_JOB} if job == MAIN else _sizes(folder.with_name(job) if job else folder)
    found = ((run / "results" / place, size) for run, size in candidates.items())
    return next(((file, size) for file, size in found if file.is_file()), None)


def _layout(folder: Path) -> str:
    """The layout of the data set that the run has read, as validate's audit names it."""
    found = _result("validate/audit.json", "", folder)
    return str(json.loads(found[0].read_text())["source"]["layout"]) if found else ""


def _sizes(folder: Path) -> dict[Path, Size]:
    """The folders of a recipe's sizes, the one that decides first."""
    return {folder: "full", folder.with_name(folder.name + SMOKE): "smoke"}


def _cell(figure: Figure, found: Reading, group: Group, row: Row) -> str:
    unit = group.unit if figure.unit is None else figure.unit
    digits = 2 if unit == "%" else 0
    if figure.unit is None and row.published != NOTHING:
        digits = max(digits, _digits(row.published))
    value = "none" if found.value is None else f"{_scaled(found.value, unit):,.{digits}f} {unit}".rstrip()
    return f"{figure.name} {value} ({found.size})".lstrip()


def _scaled(value: float, unit: str) -> float:
    return 100 * value if unit == "%" else value


def _number(published: str) -> float:
    return float(published.replace(",", ""))


def _digits(published: str) -> int:
    """Digits behind the point, as printed."""
    return len(published.partition(".")[2])

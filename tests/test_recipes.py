"""The five published systems: both sizes are one recipe, and what they claim can be looked up."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.fer.dataset import EIGHT, SPLITS, Faces
from pipeline import claims, cli, jobs, parameters, results
from pipeline.claims import SMOKE, Figure, Row
from pipeline.desk import ROOT
from tests.components import training_argv
from tests.test_docs import commands

SYSTEMS = {
    "s1_hybrid": "benchmark",
    "s2_efficientnet_two_step": "two_step",
    "s3_moeffnet": "benchmark",
    "s4_vgg16": "single",
    "s5_benchmark": "benchmark",
}

SIZES = {"image_size", "epochs", "stages", "schedule_epochs", "sample", "batch_size", "weights"}
"""what a smoke size may change: how much is computed, and ImageNet's weights, which need a network"""

PUBLISHED = {
    "s1_hybrid": [
        "72.99",
        "70.926",
        "58.629",
        "73.22",
        "74.30",
        "74.314",
        "0.11",
        "0.18",
        "0.14",
        "0.04",
        "0.15",
        "0.07",
        *("91", "99", "147", "74", "34"),
    ],
    "s2_efficientnet_two_step": [
        "70.60",
        "72.69",
        "72.42",
        "73.11",
        "94.61",
        "0.001",
        "0.00025",
        "33",
        "16",
        "32",
        "626",
        "55",
    ],
    "s3_moeffnet": ["71.02", "81.68", "78.59", "56.10", "12.8"],
    "s4_vgg16": ["14,883,399", "13,146,119", "1,737,280", "90", "60", "66", "63", "0.48", "96.41", "1.3794"],
    "s5_benchmark": [
        "49.63",
        "52.38",
        "25,636,712",
        "3,538,984",
        "22,910,480",
        "232",
        "14",
        "0.497",
        "0.513",
        "287,651",
        "4,000",
    ],
}
"""figures that must have a row: of each table some"""


def folder(recipe: str) -> Path:
    return ROOT / "recipes" / recipe


def values(recipe: str) -> dict[str, Any]:
    """Parameters of a recipe by dotted name."""
    return {parameters.dotted(name): value for name, value in parameters.read(folder(recipe) / "params.yaml").items()}


def entries(recipe: str) -> Iterator[tuple[list[Figure], str, Row]]:
    """Figures, name and published figure of each row."""
    for group in claims.read(folder(recipe)).groups:
        for name, row in group.rows.items():
            yield group.here, name, row if isinstance(row, Row) else Row(published=row)


@pytest.mark.parametrize("recipe", SYSTEMS)
def test_both_sizes_are_one_graph_and_differ_in_sizes_alone(recipe: str) -> None:
    known, full, smoke = jobs.jobs(), values(recipe), values(recipe + SMOKE)
    assert known[recipe].graph == known[recipe + SMOKE].graph == SYSTEMS[recipe]
    assert list(full) == list(smoke)
    differing = {name for name in full if full[name] != smoke[name]}
    assert {name.rpartition(".")[2] for name in differing} <= SIZES
    assert {name.rpartition(".")[2] for name in differing} >= {"sample", "epochs", "weights"}


@pytest.mark.parametrize("recipe", SYSTEMS)
def test_a_smoke_size_needs_no_download_and_is_small(recipe: str) -> None:
    smoke = values(recipe + SMOKE)
    assert {value for name, value in smoke.items() if name.endswith(".weights")} <= {"none", "trained"}
    assert 0 < smoke["preprocess.sample"] <= 1000
    assert all(value <= 3 for name, value in smoke.items() if name.endswith(".epochs"))


@pytest.mark.parametrize("recipe", SYSTEMS)
def test_published_figures_have_a_row(recipe: str) -> None:
    assert set(PUBLISHED[recipe]) <= {row.published for _, _, row in entries(recipe)}


@pytest.mark.parametrize("recipe", SYSTEMS)
def test_a_claim_is_answered_by_an_output_of_the_recipe(recipe: str) -> None:
    """So that a slip in claims.yaml is found before a run of full size has been made."""
    known = jobs.jobs()
    for figures, name, row in entries(recipe):
        for figure in figures:
            written = (known[figure.job or recipe].folder / "dvc.yaml").read_text()
            given = figure.of.values() if isinstance(figure.of, dict) else [figure.of]
            for text in (one for one in given if isinstance(one, str)):
                place, found, _ = text.format(*name.split(">"), row=name, **row.words).partition("#")
                assert not found or f"- results/{place}:" in written, (name, place)


@pytest.mark.parametrize("recipe", SYSTEMS)
def test_the_table_is_that_of_the_committed_results(recipe: str) -> None:
    claims.main(recipe, check=True)


@pytest.mark.parametrize("recipe", SYSTEMS)
def test_the_readme_has_the_commands_of_both_sizes(recipe: str) -> None:
    readme = folder(recipe) / "README.md"
    found = commands(readme)
    assert {f"ferflow run --recipe {recipe}", f"ferflow run --recipe {recipe}{SMOKE}"} <= set(found)
    for line in found:
        program, *arguments = line.split()
        assert program == "ferflow"
        cli.parser().parse_args(arguments)
    for target in re.findall(r"\]\(([^)#]+)\)", readme.read_text()):
        assert (readme.parent / target).exists(), target


@pytest.mark.parametrize("recipe", ["best_cpu", "s5_ferplus"])
def test_the_figures_of_a_readme_are_those_of_the_committed_run(recipe: str) -> None:
    readme = (folder(recipe) / "README.md").read_text()
    for row in results.rows(folder(recipe) / "results"):
        assert f"| {' | '.join(row)} |" in readme


def test_eight_expressions_are_trained_on_and_contempt_is_one_of_them() -> None:
    """The committed results of s5_ferplus, whose labels are the votes."""
    found = values("s5_ferplus")
    assert (found["validate.expressions"], bool(found["data.ferplus"])) == (8, True)
    classes = json.loads((folder("s5_ferplus") / "results/validate/audit.json").read_text())["classes"]
    assert [classes[split]["contempt"] for split in SPLITS] == [78, 8, 9]
    for path in folder("s5_ferplus").glob("results/evaluate-*/metrics.json"):
        rows = json.loads(path.read_text())["public"]["per_class"]
        assert [row["expression"] for row in rows] == list(EIGHT)


def test_s5_measures_the_fourteen_and_the_multistage_training() -> None:
    found = values("s5_benchmark")
    assert len({value for name, value in found.items() if name.endswith(".architecture")}) == 14
    stages = [int(epochs) for epochs in found["model_mobilenet_v2_multistage.stages"].split(",")]
    assert stages == [45, 30, 25]
    assert sum(stages) == found["model_mobilenet_v2_multistage.epochs"]


@pytest.mark.slow
def test_another_seed_gives_other_figures_and_the_same_seed_the_same(made: Faces, tmp_path: Path) -> None:
    """S4's smoke size on drawn faces: nothing in a result is written down beforehand."""
    recipe = {
        key: value
        for name, value in values("s4_vgg16_smoke").items()
        for section, _, key in [name.partition(".")]
        if section in ("training", "model")
    }
    data = training_argv.write_few(made, tmp_path)
    found = []
    for number, seed in enumerate((1, 1, 2)):
        changes = {**recipe, "epochs": 1, "checkpoints": "", "seed": seed}
        done = training_argv.run("train_backbone", training_argv.argv(data, tmp_path / str(number), **changes))
        assert done.returncode == 0, done.stderr
        metrics = json.loads((tmp_path / str(number) / "metrics_json").read_text())
        found.append((metrics["training"]["loss"], metrics["public"]["loss"]))
    assert found[0] == found[1] != found[2]

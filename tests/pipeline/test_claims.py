"""The table of published figures: what stands in it, and what decides."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.fer.errors import InputError
from pipeline import claims
from pipeline.claims import BEGIN, END, Claims, Figure, Group, Reading, Row

METRICS = {
    "public": {"accuracy": 0.7051},
    "private": {
        "full": {
            "per_class": [{"recall": 0.1, "precision": None}, *[{"recall": 0.5, "precision": 0.5}] * 6],
            "confusion": [[10 * row + column for column in range(7)] for row in range(7)],
        }
    },
}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a recipe without results."""
    monkeypatch.setattr(claims, "ROOT", tmp_path)
    folder = tmp_path / "recipes" / "s9"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(f"# s9\n\n{BEGIN}\n{END}\n\nMore words.\n")
    return folder


def run(folder: Path, metrics: Any = METRICS, stage: str = "evaluate") -> None:
    """Results as a run leaves them."""
    (folder / "results" / stage).mkdir(parents=True, exist_ok=True)
    (folder / "results" / stage / "metrics.json").write_text(json.dumps(metrics))


def smoke(folder: Path) -> Path:
    return folder.with_name("s9_smoke")


def group(**changes: Any) -> Group:
    accuracy: dict[str, Any] = {
        "means": "share of images classified right",
        "where": "table 1",
        "unit": "%",
        "rows": {"accuracy": "70.60"},
        "here": [{"of": "evaluate/metrics.json#public.accuracy"}],
    }
    return Group.model_validate({**accuracy, **changes})


def only_row(folder: Path, **changes: Any) -> tuple[str, ...]:
    (row,) = claims.rows(Claims(groups=[group(**changes)]), folder)
    return row


def test_without_a_run_the_claim_is_not_run(recipe: Path) -> None:
    assert only_row(recipe) == (
        "accuracy",
        "70.60 %",
        "share of images classified right (table 1).",
        "",
        "not run: no run yet",
    )


def test_a_run_of_full_size_decides(recipe: Path) -> None:
    run(recipe)
    assert only_row(recipe, within=1.0)[3:] == ("70.51 % (full)", "holds: ±1 points")
    assert only_row(recipe, within=0.05)[3:] == ("70.51 % (full)", "does not hold: ±0.05 points")


def test_a_smoke_size_is_shown_and_does_not_decide_an_accuracy(recipe: Path) -> None:
    run(smoke(recipe))
    assert only_row(recipe, within=1.0)[3:] == ("70.51 % (smoke)", "not run: smoke size")


def test_a_smoke_size_decides_what_does_not_depend_on_size(recipe: Path) -> None:
    run(smoke(recipe), {"parameters": 14883399}, "train-backbone")
    claim = {
        "unit": "",
        "decided_by": "any",
        "rows": {"parameters": "14,883,399"},
        "here": [{"of": "train-backbone/metrics.json#parameters"}],
    }
    assert only_row(recipe, **claim)[3:] == ("14,883,399 (smoke)", "holds")
    run(smoke(recipe), {"parameters": 14883398}, "train-backbone")
    assert only_row(recipe, **claim)[3:] == ("14,883,398 (smoke)", "does not hold")


def test_the_full_size_goes_before_the_smoke_size(recipe: Path) -> None:
    run(recipe)
    run(smoke(recipe), {"public": {"accuracy": 0.2}})
    assert only_row(recipe)[3] == "70.51 % (full)"


def test_what_nothing_decides_yet_says_why_until_a_run_decides(recipe: Path) -> None:
    reason = "RAF-DB is not at hand"
    assert only_row(recipe, undecided=reason)[4] == f"not run: {reason}"
    run(smoke(recipe))
    assert only_row(recipe, undecided=reason)[4] == f"not run: {reason}"
    run(recipe)
    assert only_row(recipe, undecided=reason, within=1.0)[4] == "holds: ±1 points"


def test_a_run_on_other_data_is_shown_and_does_not_decide(recipe: Path) -> None:
    run(recipe)
    asked = {"data": "affectnet", "undecided": "AffectNet is not at hand", "within": 1.0}
    for layout, said in (
        ("emotion,pixels,Usage", "not run: AffectNet is not at hand"),
        ("affectnet", "holds: ±1 points"),
    ):
        (recipe / "results" / "validate").mkdir(exist_ok=True)
        (recipe / "results" / "validate" / "audit.json").write_text(json.dumps({"source": {"layout": layout}}))
        assert only_row(recipe, **asked)[3:] == ("70.51 % (full)", said)


def test_arithmetic_needs_no_run_and_is_held_to_the_printed_digits(recipe: Path) -> None:
    share = {"formula": "share", "of": {"part": 2663, "whole": 3584}}
    assert only_row(recipe, here=[share], rows={"best": "74.30"})[3:] == ("74.30 % (arithmetic)", "holds")
    assert only_row(recipe, here=[share], rows={"best": "74.314"})[3:] == ("74.302 % (arithmetic)", "does not hold")


def test_the_first_figure_decides_and_the_others_stand_beside_it(recipe: Path) -> None:
    run(recipe)
    run(recipe, {"trainable_parameters": 8967}, "train-backbone")
    here = [
        {"name": "PublicTest", "of": "evaluate/metrics.json#public.accuracy"},
        {"name": "trainable parameters", "of": "train-backbone/metrics.json#trainable_parameters", "unit": ""},
    ]
    found = only_row(recipe, here=here, within=1.0)
    assert found[3:] == ("PublicTest 70.51 % (full), trainable parameters 8,967 (full)", "holds: ±1 points")


def test_the_main_jobs_figures_are_at_hand_for_every_recipe(recipe: Path) -> None:
    run(recipe.parents[1])
    here = [{"job": "main", "of": "evaluate/metrics.json#public.accuracy"}]
    assert only_row(recipe, here=here, within=1.0)[3:] == ("70.51 % (main job)", "holds: ±1 points")


def test_a_figure_of_ours_without_a_published_one_has_no_verdict(recipe: Path) -> None:
    run(recipe)
    _, published, _, here, verdict = only_row(recipe, rows={"FT": "nothing"})
    assert (published, here, verdict) == ("nothing", "70.51 % (full)", "")


def test_rows_fill_the_templates_of_their_group(recipe: Path) -> None:
    run(recipe, stage="evaluate-b0")
    here = [
        {
            "formula": "share",
            "of": {
                "part": "evaluate-{network}/metrics.json#private.full.confusion.{0}.{1}",
                "whole": "{whole}",
            },
        }
    ]
    row = {"published": "0.24", "words": {"network": "b0", "whole": 100}}
    assert only_row(recipe, unit="", here=here, rows={"fear>sad": row})[3:] == ("0.24 (full)", "holds")


def test_the_last_row_of_a_history(recipe: Path) -> None:
    folder = recipe / "results" / "train-backbone"
    folder.mkdir(parents=True)
    (folder / "history.csv").write_text("epoch,accuracy\n1,0.5\n2,0.9461\n")
    here = [{"of": "train-backbone/history.csv#last.accuracy"}]
    assert only_row(recipe, here=here, rows={"training": "94.61"})[3:] == ("94.61 % (full)", "holds")


def test_a_doubt_stands_behind_the_meaning_and_a_second_row_does_not_repeat_it(recipe: Path) -> None:
    claim = group(rows={"one": "70.60", "other": "72.69"}, doubt="the log has another figure")
    first, second = claims.rows(Claims(groups=[claim]), recipe)
    assert first[2] == "share of images classified right (table 1). Doubt: the log has another figure"
    assert second[2] == '"'


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("public.accuracy", 0.7051),
        ("private.full.per_class.angry.recall", 0.1),
        ("private.full.confusion.fear.sad", 24),
        ("private.full.per_class.*.precision", [None, *[0.5] * 6]),
    ],
)
def test_paths_walk_through_tables_of_expressions(path: str, found: Any) -> None:
    assert claims.look(METRICS, path, "claims") == found


@pytest.mark.parametrize("path", ["public.acuracy", "private.full.per_class.joy.recall", "public.accuracy.low"])
def test_a_path_that_leads_nowhere_is_told(path: str) -> None:
    with pytest.raises(InputError, match=r"claims of s9: expected a value, found none at \w+\.\nCorrect claims\.yaml"):
        claims.look(METRICS, path, "claims of s9")


def test_an_undefined_figure_is_shown_and_does_not_hold(recipe: Path) -> None:
    run(recipe)
    here = [{"of": "evaluate/metrics.json#private.full.per_class.angry.precision"}]
    assert only_row(recipe, here=here)[3:] == ("none (full)", "does not hold")


def test_an_unknown_formula_is_told() -> None:
    with pytest.raises(ValueError, match="expected one of value, share"):
        Figure(formula="sahre", of=1.0)


def test_the_verdict_is_about_the_published_unit() -> None:
    row = Row(published="98")
    assert claims.verdict(group(unit="MB"), row, Reading(value=97.8, size="full")) == "holds"
    assert claims.verdict(group(unit="MB"), row, Reading(value=97.4, size="full")) == "does not hold"


def test_what_was_run_and_what_it_cost(recipe: Path) -> None:
    for stage, seconds in (("train-backbone-a", 40.4), ("train-hybrid", 60.2)):
        run(smoke(recipe), {"seconds": seconds}, stage)
    (smoke(recipe) / "results" / "preprocess").mkdir()
    report = smoke(recipe) / "results" / "preprocess" / "report.json"
    report.write_text(json.dumps({"images": {"training": {"before": 28709, "after": 300}}}))
    said = "Trainings run here, smoke size: 2 on 300 images of Training, 101 seconds together."
    assert claims.runs(recipe) == said


def write(folder: Path, *groups: Group) -> None:
    (folder / "claims.yaml").write_text(yaml.safe_dump({"groups": [one.model_dump() for one in groups]}))


def test_the_command_writes_the_table_between_its_lines_and_leaves_the_rest(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(recipe, group())
    claims.main(None, check=False)
    text = (recipe / "README.md").read_text()
    assert text.startswith(f"# s9\n\n{BEGIN}\nNo training of this recipe has been run here yet.")
    assert "\n\n|  | published |" in text
    assert text.endswith(f"| not run: no run yet |\n{END}\n\nMore words.\n")
    assert capsys.readouterr().out == "s9: 1 published figures: holds 0, does not hold 0, not run 1\n"


def test_check_writes_nothing_and_tells_what_differs(recipe: Path) -> None:
    write(recipe, group(within=1.0))
    claims.main("s9", check=False)
    claims.main("s9", check=True)
    run(recipe)
    before = (recipe / "README.md").read_text()
    with pytest.raises(InputError, match=r"claims of s9: the results say something else than .*README\.md"):
        claims.main("s9", check=True)
    assert (recipe / "README.md").read_text() == before


def test_a_readme_without_a_place_for_the_table(recipe: Path) -> None:
    write(recipe, group())
    (recipe / "README.md").write_text("# s9\n")
    with pytest.raises(InputError, match="expected the lines <!-- claims"):
        claims.main("s9", check=False)


def test_a_recipe_without_claims(recipe: Path) -> None:
    write(recipe, group())
    with pytest.raises(InputError, match="claims of s8: expected one of s9"):
        claims.main("s8", check=False)

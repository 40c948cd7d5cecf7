"""Records of decisions stay readable, those from before the gate had rules too."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from components.model_store.records import Check, Difference, Paired, Rules, Verdict, promoted, read_champion

BEFORE = {
    "version": "0001-1a2b3c4d",
    "previous": None,
    "history": [
        {
            "version": "0001-1a2b3c4d",
            "previous": None,
            "verdict": {
                "decision": "PROMOTE",
                "reasons": ["first model: 64.2 % on PublicTest, majority class 24.9 %"],
                "against": "majority class",
                "alpha": 0.05,
                "paired": {
                    "images": 3589,
                    "candidate_correct": 2305,
                    "baseline_correct": 895,
                    "gained": 1544,
                    "lost": 134,
                    "p_better": 2.3e-304,
                    "p_worse": 1.0,
                },
            },
            "when": "2026-01-02T03:04:05Z",
        }
    ],
}
"""A champion as it was stored before verdicts had rules and checks."""

VERDICT = Verdict(
    decision="PROMOTE",
    reasons=("better",),
    against="0001-1a2b3c4d",
    alpha=0.05,
    paired=Paired(3589, 2400, 2305, 150, 55, 1e-9, 1.0),
    rules=Rules("superiority", 0.05, 0.5, 1.0, 10.0, 0.1, 0.1),
    checks=(Check("class_floor", 0.3, 0.1, True, "least recall 30.0 % (fear), at least 10 %"),),
    macro_f1=Difference(0.03, 0.01, 0.05),
)


def test_a_champion_from_before_the_rules_is_read_and_lacks_them() -> None:
    (move,) = read_champion(json.dumps(BEFORE).encode(), "champion.json", "versions").history
    assert move.verdict is not None
    assert (move.verdict.alpha, move.verdict.rules, move.verdict.checks) == (0.05, None, ())


def test_a_verdict_is_read_as_it_was_written() -> None:
    before = read_champion(json.dumps(BEFORE).encode(), "champion.json", "versions")
    champion = promoted(before, "0002-5e6f7a8b", VERDICT, datetime(2026, 2, 3, tzinfo=UTC))
    assert read_champion(champion.model_dump_json().encode(), "champion.json", "versions") == champion


def test_other_rules_are_told_apart() -> None:
    assert VERDICT.rules is not None
    assert VERDICT.rules != replace(VERDICT.rules, class_floor=0.2)

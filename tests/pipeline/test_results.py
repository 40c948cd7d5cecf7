"""The table at the end of a run."""

import json
from pathlib import Path
from typing import Any

from pipeline import results

FIGURE = {"n": 3589, "accuracy": 0.61234, "accuracy_low": 0.59, "accuracy_high": 0.63, "macro_f1": 0.5}
METRICS: dict[str, Any] = {
    "public": FIGURE,
    "private": {
        "full": FIGURE,
        "clean_exact": {**FIGURE, "n": 3301, "accuracy": 0.6},
        "clean_near": {"n": 0, "accuracy": None, "reason": "none"},
    },
    "majority_baseline": {"expression": "happy", "public": 0.2494},
}


def test_rows(tmp_path: Path) -> None:
    (tmp_path / "train-backbone-a").mkdir()
    summary = {"public": {"accuracy": 0.5}}
    (tmp_path / "train-backbone-a" / "metrics.json").write_text(json.dumps(summary))
    assert list(results.rows(METRICS, tmp_path)) == [
        ("train-backbone-a", "PublicTest", "", "50.00", "", ""),
        ("evaluated model", "PublicTest", "3,589", "61.23", "59.00 to 63.00", "0.500"),
        ("evaluated model", "PrivateTest, full", "3,589", "61.23", "59.00 to 63.00", "0.500"),
        ("evaluated model", "PrivateTest, clean-exact", "3,301", "60.00", "59.00 to 63.00", "0.500"),
        ("evaluated model", "PrivateTest, clean-near", "0", "none left", "", ""),
        ("always happy", "PublicTest", "", "24.94", "", ""),
    ]

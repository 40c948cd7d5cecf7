"""Whether TFMA and evaluate count the same: pure functions of figures by slice."""

from collections.abc import Mapping
from typing import Any

from components.fer.errors import InputError
from components.tfx_check.slices import OVERALL, Count, Slice, named

Counts = Mapping[Slice, Count]

ROUNDING = 1e-6
"""metrics.json has six digits"""


def check(what: str, ours: Counts, tfma: Counts, tolerance: float | None) -> None:
    """Hold TFMA's right answers in each slice of `what` to ours.

    At most `tolerance` (0..1) of a slice's images may differ, one always; with None, not one. Raises `InputError`,
    which names every slice that does not hold.
    """
    wrong = []
    for one in sorted(ours.keys() | tfma.keys()):
        if one not in ours or one not in tfma:
            wrong.append(f"{named(one)}: {_told(ours.get(one))} by evaluate, {_told(tfma.get(one))} by TFMA")
            continue
        allowed = 0 if tolerance is None else max(1, int(tolerance * ours[one].images))
        if ours[one].images != tfma[one].images or abs(ours[one].right - tfma[one].right) > allowed:
            seen = f"{_told(ours[one])} by evaluate, {_told(tfma[one])} by TFMA"
            wrong.append(f"{named(one)}: {seen}; allowed difference {allowed}")
    if wrong:
        raise InputError(
            "\n  ".join([f"{what}: expected TFMA's figures to be those of evaluate, they differ in", *wrong]),
            "The stored SavedModel and predictions.npz must come from one model and one data set: dvc repro",
        )


def check_metrics(metrics: Mapping[str, Any], public: Counts, private: Counts, where: str) -> None:
    """Hold the accuracies and recalls that metrics.json has to what the predictions give. Raises `InputError`."""
    forms = metrics["private"]
    claimed = {
        "public.accuracy": (metrics["public"]["accuracy"], public.get(OVERALL)),
        "private.full.accuracy": (forms["full"]["accuracy"], private.get(OVERALL)),
        "private.clean_exact.accuracy": (forms["clean_exact"]["accuracy"], private.get(("clean_exact", "yes"))),
        "private.clean_near.accuracy": (forms["clean_near"]["accuracy"], private.get(("clean_near", "yes"))),
    }
    for entry in metrics["public"]["per_class"]:
        expression = entry["expression"]
        claimed[f"public recall of {expression}"] = (entry["recall"], public.get(("expression", expression)))
    for name, (figure, count) in claimed.items():
        actual = count.accuracy if count else None
        if (figure is None) != (actual is None) or (actual is not None and abs(figure - actual) > ROUNDING):
            raise InputError(
                f"metrics {where}: {name} is {figure}, but the predictions give {actual}.",
                "Write both again: dvc repro evaluate",
            )


def table(ours: Counts, tfma: Counts) -> list[dict[str, Any]]:
    """A row for each slice: its images, accuracy by evaluate and by TFMA (0..1, six digits)."""
    return [
        {
            "slice": named(one),
            "images": count.images,
            "evaluate": round(count.accuracy, 6),
            "tfma": round(tfma[one].accuracy, 6),
        }
        for one, count in sorted(ours.items())
    ]


def _told(count: Count | None) -> str:
    return f"{count.right:,} of {count.images:,} right" if count else "no image"

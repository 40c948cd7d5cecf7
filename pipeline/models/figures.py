"""The figures of metrics.json that follow from the stored predictions alone, measured again.

Those of PublicTest and of all of PrivateTest, by the code that made them. What needs more than the predictions is left
out: intervals and the forms of PrivateTest without copies need the audit, agreement with FER+ its votes, the figures of
backbones and of views their own answers.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from components.evaluate.measure import Sample, Settings, measure, rounded
from components.fer.dataset import EIGHT, USAGES, Predictions
from components.fer.errors import InputError
from components.model_store.manifest import MEND

Figures = Mapping[str, Any]
"""a part of the tree of metrics.json"""

TOLERANCE = 1e-5
"""between two figures: metrics have 6 digits, and another machine's arithmetic may tip the last one"""

TEMPERATURES = (0.05, 20)
"""those that evaluate's search may find"""

OF_MORE = ("copy_groups", "reason", "_low", "_high")
"""ends of the names of figures that need more than predictions, or are none"""


def measured(tree: Figures, predictions: Predictions) -> dict[str, Any]:
    """The figures of the predictions, in the tree of metrics.json; its own temperature and majority class are taken.

    Raises `InputError` where probabilities or temperature are none.
    """
    _check(predictions)
    public, private = (_split(predictions, usage) for usage in ("PublicTest", "PrivateTest"))
    temperature = _temperature(tree)
    found: dict[str, Any] = {
        "public": _figures(public, temperature),
        "private": {"full": _figures(private, temperature)},
    }
    baseline = tree.get("majority_baseline")
    if isinstance(baseline, Mapping) and baseline.get("expression") in EIGHT:
        majority = EIGHT.index(baseline["expression"])
        shares = {"public": _share(public, majority), "private": {"full": _share(private, majority)}}
        found["majority_baseline"] = rounded(shares)
    return found


def differing(claimed: Any, found: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Name each figure that is claimed and is not what was found, with both; what is not claimed is none."""
    if isinstance(found, Mapping) and isinstance(claimed, Mapping):
        for key in (key for key in found if key in claimed):
            yield from differing(claimed[key], found[key], f"{name}.{key}" if name else key)
    elif isinstance(found, list) and isinstance(claimed, list) and len(claimed) == len(found):
        for place, (one, other) in enumerate(zip(claimed, found, strict=True)):
            yield from differing(one, other, f"{name}[{place}]")
    elif not _is_same(claimed, found):
        yield name, claimed, found


def _temperature(tree: Figures) -> float | None:
    """The temperature, none where there is none. Raises `InputError` where it is one that cannot be."""
    low, high = TEMPERATURES
    found = tree.get("temperature")
    if found is not None and not (isinstance(found, int | float) and low <= found <= high):
        raise InputError(f"metrics: expected a temperature from {low} to {high}, received {found!r:.60}.", MEND)
    return found


def _figures(sample: Sample, temperature: float | None) -> dict[str, Any]:
    """What `measure` finds, but for what the predictions do not tell."""
    settings = Settings(temperature or 1, majority=0, resamples=1, seed=0)
    left_out = OF_MORE if temperature else (*OF_MORE, "_scaled")
    return {key: value for key, value in rounded(measure(sample, settings)).items() if not key.endswith(left_out)}


def _split(predictions: Predictions, usage: str) -> Sample:
    """The images of a split; which are copies of each other is not known, so no two are."""
    mine = predictions.usage == USAGES.index(usage)
    copies = np.arange(mine.sum(), dtype=np.int32)
    return Sample(predictions.probabilities[mine], predictions.label[mine], copies, None)


def _share(sample: Sample, expression: int) -> float | None:
    return float((sample.label == expression).mean()) if len(sample) else None


def _check(predictions: Predictions) -> None:
    """Raise `InputError` where a row is no distribution: nothing can be measured of it."""
    rows = predictions.probabilities
    wrong = ~((rows >= 0).all(axis=1) & np.isclose(rows.sum(axis=1), 1, atol=1e-3))
    if wrong.any():
        raise InputError(
            f"predictions: expected probabilities that sum to 1, received others in {int(wrong.sum()):,} rows, the "
            f"first of source row {predictions.row[wrong][0]}.",
            MEND,
        )


def _is_same(claimed: Any, found: Any) -> bool:
    if isinstance(found, int | float) and isinstance(claimed, int | float):
        return abs(claimed - found) <= TOLERANCE
    return bool(claimed == found)

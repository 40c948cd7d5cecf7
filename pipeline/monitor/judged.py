"""What came of looking at one version's window; written as JSON for whoever acts on it."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict

from components.fer.dataset import EIGHT
from components.fer.metrics.scores import Floats
from components.serve.observations import Observation
from pipeline.monitor.sample import EXPRESSIONS, FIGURES, MEASURED, Kind, Sample


class Finding(BaseModel):
    """How far one figure is from the reference."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figure: str
    kind: Kind
    """what drifts where it does"""
    distance: float
    """0 (as the reference) to 1"""
    limit: float
    """what chance alone seldom exceeds"""
    reference: str
    """mean, or the share of the expression that changed most"""
    window: str
    """the same"""

    @property
    def drifts(self) -> bool:
        """Whether it is farther than chance takes it."""
        return self.distance > self.limit


class Judged(BaseModel):
    """A version, its window, and what was found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    champion: bool
    observed: int
    """images observed in the time looked back on"""
    window: int
    """images of them that were looked at"""
    first: AwareDatetime
    last: AwareDatetime
    findings: tuple[Finding, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What drifts: inputs, predictions, both or none."""
        return tuple(sorted({finding.kind for finding in self.findings if finding.drifts}))


def findings(reference: Sample, window: Sample, distances: Floats, limits: Floats) -> tuple[Finding, ...]:
    """A finding for each of `FIGURES`; distances and limits (7,) are in their order."""
    told = [
        *((f"{mean:.4g}", f"{other:.4g}") for mean, other in zip(*_means(reference, window), strict=True)),
        _most_changed(reference, window),
    ]
    return tuple(
        Finding(figure=figure, kind=kind, distance=distance, limit=limit, reference=before, window=now)
        for (figure, kind), distance, limit, (before, now) in zip(
            FIGURES.items(), distances.tolist(), limits.tolist(), told, strict=True
        )
    )


def _means(*samples: Sample) -> list[list[float]]:
    return [sample.values.mean(axis=0).tolist() for sample in samples]


def _most_changed(reference: Sample, window: Sample) -> tuple[str, str]:
    before, now = (shares(sample) for sample in (reference, window))
    most = int(np.abs(now - before).argmax())
    name = EIGHT[most]
    return f"{name} {100 * before[most]:.1f} %", f"{name} {100 * now[most]:.1f} %"


def shares(sample: Sample) -> Floats:
    """How often each expression is answered: (E,), in the order of `dataset.EIGHT`."""
    return np.bincount(sample.expression, minlength=sample.expressions) / len(sample)


def times(observations: Sequence[Observation]) -> tuple[datetime, datetime]:
    """When the first and the last of them were made."""
    found = [one.time for one in observations]
    return min(found), max(found)


assert list(FIGURES) == [*MEASURED, EXPRESSIONS]  # findings rely on it

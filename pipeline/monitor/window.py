"""Which of the observed images are looked at: for each version a fixed number, spread over the time looked back on."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np

from components.serve.observations import Observation

log = logging.getLogger("ferflow")

AHEAD = timedelta(minutes=5)
"""by which two clocks may differ"""


def by_version(observations: Iterable[Observation], now: datetime) -> dict[str, list[Observation]]:
    """Part observations by the version that answered; those of a time yet to come are left out with a warning."""
    found: dict[str, list[Observation]] = defaultdict(list)
    ahead = []
    for one in observations:
        if one.time > now + AHEAD:
            ahead.append(one.time)
        else:
            found[one.version].append(one)
    if ahead:
        log.warning(
            "%d observations are up to %s ahead of this machine's clock, and are left out.\n"
            "See to the clocks of the server and of this machine: timedatectl",
            len(ahead),
            str(max(ahead) - now).split(".")[0],
        )
    return dict(found)


def spread(observations: Sequence[Observation], size: int) -> list[Observation]:
    """Choose `size` of them, evenly over their order in time; the same ones in whatever order they are given."""
    ordered = sorted(observations, key=_place)
    return [ordered[place] for place in np.arange(size) * len(ordered) // size]


def _place(one: Observation) -> tuple[datetime, bytes]:
    """By time; images of one request have the same, and of these a figure must not choose, but chance may."""
    return one.time, hashlib.sha256(one.model_dump_json().encode()).digest()

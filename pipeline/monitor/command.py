"""`ferflow monitor`: look at what is served, say what drifts, and propose a retraining where something does."""

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from components.fer.errors import FerflowError, InputError, UsageError
from components.model_store.versions import known
from components.serve import observations
from components.serve.observations import Observation
from pipeline.cluster import settings
from pipeline.cluster.columns import aligned
from pipeline.models.place import Place
from pipeline.monitor import drift, judged, proposal, reference, window
from pipeline.monitor.judged import Judged
from pipeline.monitor.page import Seen, render
from pipeline.monitor.sample import Sample

log = logging.getLogger("ferflow")

ALPHA = 0.01
"""share of the windows of unchanged images that alarm nevertheless"""

FOLDER = Path("artifacts") / "monitor"
PREPARED = Path("artifacts") / "preprocess" / "prepared.pickle"
RESULT, PAGE = "drift.json", "drift.html"


@dataclass(frozen=True)
class Look:
    """How to look, and what to do about it."""

    hours: float
    """to look back"""
    window: int
    """images to look at, of each version"""
    cool_down: float
    """days in which the same drift proposes nothing new"""
    submit: bool
    """hand a proposal to the cluster"""
    host: str | None
    """of the cluster, where it is not that of infra/cluster.yaml"""

    def check(self) -> None:
        """Raise `UsageError` where a figure is none."""
        for name, value in (("--hours", self.hours), ("--window", self.window)):
            if not 0 < value < float("inf"):
                raise UsageError(f"{name}: expected a number above 0. Received: {value:g}")
        if not 0 <= self.cool_down < float("inf"):
            raise UsageError(f"--cool-down: expected days, 0 or more. Received: {self.cool_down:g}")


def main(where: Path, place: Place, recipe: str | None, data: Path | None, look: Look) -> None:
    """Judge each version that is observed; where the champion's images or answers drift, propose a retraining.

    Raises `InputError` for observations that are absent, or of other versions only, without a champion, and for a
    champion that cannot be judged.
    """
    look.check()
    now, folder = datetime.now(UTC), place.folder / FOLDER
    champion = place.store.champion(place.name)
    if champion is None:
        raise InputError(f"champion of {place.name}: expected one, found none.", "A job makes one: ferflow run")
    back = now - timedelta(hours=look.hours)
    found = window.by_version(observations.read(where, back), now)
    if found and champion.version not in found:
        raise InputError(
            f"observations {where}: expected some of the champion, {champion.version}, found those of "
            f"{', '.join(sorted(found))} alone.",
            "Serve the champion, or name another --name or OBSERVATIONS.",
        )
    mine = _looked_at(place, champion.version, found.pop(champion.version, []), data, look, champion=True)
    if mine is not None:
        _write(folder, place.name, now, [mine])
        _say(f"page       {folder / PAGE}")
        if mine.judged.kinds:
            _propose(folder, place.name, mine.judged, recipe, look, now)
    # The others only now, so that nothing that is wrong with one of them keeps the champion's alarm back.
    others = [_other(place, version, observed, data, look) for version, observed in sorted(found.items())]
    if any(others):
        _write(folder, place.name, now, [one for one in (mine, *others) if one is not None])
        if mine is None:
            _say(f"page       {folder / PAGE}")


def _other(place: Place, version: str, observed: Sequence[Observation], data: Path | None, look: Look) -> Seen | None:
    """Judge a version that is not the champion; a warning where it cannot be, for nothing depends on it."""
    try:
        return _looked_at(place, version, observed, data, look, champion=False)
    except FerflowError as error:
        log.warning("%s %s is not judged. %s", place.name, version, " ".join(str(error).splitlines()))
        return None


def _looked_at(
    place: Place, version: str, observed: Sequence[Observation], data: Path | None, look: Look, *, champion: bool
) -> Seen | None:
    """Judge a version and say what was found; none where too little was observed. Raises `InputError`."""
    if len(observed) < look.window:
        _say(f"{place.name} {version}: {_few(len(observed), look)}")
        return None
    seen = judge(place, version, observed, look.window, data, champion=champion)
    _say(described(place.name, seen.judged))
    return seen


def judge(
    place: Place, version: str, observed: Sequence[Observation], size: int, data: Path | None, *, champion: bool
) -> Seen:
    """Hold a window of so many of a version's observations to its reference. Raises `InputError`."""
    stored = known(place.store.versions(place.name), place.name, version)
    judged_on = reference.read(place, stored, data or place.folder / PREPARED, champion=champion)
    if size > len(judged_on) // 2:
        raise InputError(
            f"--window {size:,}: expected at most half of the {len(judged_on):,} images that {version} was judged on.",
            f"--window {len(judged_on) // 2}",
        )
    chosen = window.spread(observed, size)
    mine = Sample.observed(chosen)
    limits = drift.calibrate(judged_on, size).limits(ALPHA)
    first, last = judged.times(observed)
    result = Judged(
        version=version,
        champion=champion,
        observed=len(observed),
        window=size,
        first=first,
        last=last,
        findings=judged.findings(judged_on, mine, drift.distances(judged_on, mine), limits),
    )
    return Seen(result, judged_on, mine)


def described(name: str, found: Judged) -> str:
    """What was found, for the terminal."""
    rows = [("", "", "PublicTest", "served", "distance", "limit", "")]
    rows += [
        (f"  {one.figure}", one.kind, one.reference, one.window, f"{one.distance:.3f}", f"{one.limit:.3f}",
         "drifts" if one.drifts else "")
        for one in found.findings
    ]  # fmt: skip
    return (
        f"{name} {found.version}{', champion' if found.champion else ''}: "
        f"{f'DRIFT of {_words(found.kinds)}' if found.kinds else 'no drift'}\n"
        f"{found.window:,} of {found.observed:,} images, "
        f"{found.first:%Y-%m-%d %H:%M} to {found.last:%Y-%m-%d %H:%M} UTC\n"
        f"{aligned(rows)}"
    )


def _propose(folder: Path, name: str, found: Judged, recipe: str | None, look: Look, now: datetime) -> None:
    mine = proposal.propose(folder, name, found, _command(recipe, look), now, timedelta(days=look.cool_down))
    path = folder / proposal.NAME
    if mine.alarms == 1:
        _say(f"proposal   {path}: retrain, because {_words(mine.kinds)} drift.\n           {mine.command}")
    else:
        _say(f"proposal   {path}: that of {mine.when:%Y-%m-%d %H:%M} UTC, now {mine.alarms} alarms. {mine.command}")
    if look.submit:
        from pipeline.cluster.submit import submit

        if not proposal.submit_once(folder, mine, now, lambda: submit(recipe, [], look.host, wait=False)):
            _say("submitted  before, and not again: ferflow watch, or Kubeflow's page, shows the run")


def _command(recipe: str | None, look: Look) -> str:
    """What retrains: on the cluster where there is one, else at this desk."""
    option = f" --recipe {recipe}" if recipe else ""
    if look.host:
        return f"ferflow submit{option} --host {look.host}"
    try:
        settings.read()
    except InputError:
        return f"ferflow run{option}"
    return f"ferflow submit{option}"


def _write(folder: Path, name: str, when: datetime, seen: Sequence[Seen]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found = [one.judged for one in seen]
    alarm = any(one.kinds for one in found if one.champion)
    tree = {
        "model": name,
        "when": when.isoformat(timespec="seconds"),
        "alarm": alarm,
        "versions": [_tree(one) for one in found],
    }
    for file, text in ((RESULT, json.dumps(tree, indent=2) + "\n"), (PAGE, render(name, seen, when))):
        part = folder / f".{file}"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / file)


def _tree(found: Judged) -> dict[str, object]:
    return {**found.model_dump(mode="json"), "drifts": found.kinds}


def _few(count: int, look: Look) -> str:
    return (
        f"too few observations: {count:,} in {look.hours:g} hours, {look.window:,} are looked at. Nothing is judged.\n"
        "Look back further: --hours, or look at fewer: --window"
    )


def _words(kinds: Sequence[str]) -> str:
    return " and ".join(kinds)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

"""What the model store remembers about decisions: verdicts, and the champion with its history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError, model_validator

from components.fer.errors import InputError, TemporaryError

Decision = Literal["PROMOTE", "HOLD", "REJECT"]


@dataclass(frozen=True)
class Paired:
    """Two models on the same images."""

    images: int
    """images compared"""
    candidate_correct: int
    """images that the candidate gets right"""
    baseline_correct: int
    """images that the baseline gets right"""
    gained: int
    """images that the candidate alone gets right"""
    lost: int
    """images that the baseline alone gets right"""
    p_better: float
    """one-sided p of McNemar's exact test: so many gained by chance alone, were the two equally good"""
    p_worse: float
    """the same for so many lost"""


@dataclass(frozen=True)
class Verdict:
    """What the comparison says about a candidate, and why."""

    decision: Decision
    """PROMOTE: better at level `alpha`; REJECT: worse at that level; HOLD: neither is shown"""
    reasons: tuple[str, ...]
    """in words, with the numbers"""
    against: str
    """the champion's version, or `majority class` for a first model"""
    alpha: float
    """level of significance, one-sided"""
    paired: Paired | None
    """the counts; none where candidate and champion are the same model"""


class Move(BaseModel):
    """One change of the champion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    """the champion from then on"""
    previous: str | None
    """the champion until then"""
    verdict: Verdict
    """why"""
    when: AwareDatetime
    """UTC"""


class Champion(BaseModel):
    """The content of `champion.json`: which version serves, and how it came to that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    """the version that serves"""
    previous: str | None
    """the one before it"""
    history: tuple[Move, ...]
    """all moves, oldest first; the last one made this champion"""

    @model_validator(mode="after")
    def _is_last_move(self) -> Self:
        if not self.history or (self.history[-1].version, self.history[-1].previous) != (self.version, self.previous):
            raise ValueError("version and previous are not those of the last move in history")
        return self


def promoted(champion: Champion | None, version: str, verdict: Verdict, when: datetime) -> Champion:
    """Make the record in which `version` follows `champion`."""
    previous = champion.version if champion else None
    move = Move(version=version, previous=previous, verdict=verdict, when=when)
    return Champion(version=version, previous=previous, history=(*(champion.history if champion else ()), move))


def read_champion(content: bytes, address: str, versions: str) -> Champion:
    """Read the record at `address`. Raises `InputError` where it is not one; `versions` is where the versions are."""
    try:
        return Champion.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "record"
        raise InputError(
            f"champion record {address}: expected what push-model writes, received: {where}: {first['msg']}.",
            f"Restore the file from a backup; the versions in {versions} are whole.",
        ) from error


def lost_race(name: str, expected: Champion | None, found: Champion | None) -> TemporaryError:
    """Make the error of a push whose champion is not the one that it was compared with."""
    return TemporaryError(
        f"champion of {name}: expected {_version(expected)}, found {_version(found)}: another push was faster.",
        "Run the same command again: it compares with the new champion.",
    )


def _version(champion: Champion | None) -> str:
    return champion.version if champion else "none"

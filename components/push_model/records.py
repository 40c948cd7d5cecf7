"""What the model store remembers about decisions: verdicts, and the champion with its history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

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

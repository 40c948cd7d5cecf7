"""What the model store remembers about decisions: verdicts, and the champion with its history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError, model_validator

from components.fer.errors import InputError, TemporaryError

Decision = Literal["PROMOTE", "HOLD", "REJECT"]
Rule = Literal["superiority", "non_inferiority"]

Decider = Literal["gate", "person", "rollback"]


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
class Rules:
    """What a candidate has to show; accuracies and recalls are of PublicTest."""

    rule: Rule
    """what is to be shown against the champion: that the candidate is better, or that it is not much worse"""
    alpha: float
    """level of significance of each test, one-sided"""
    minimum_effect: float
    """superiority: least gain in accuracy, in points"""
    margin: float
    """non-inferiority: loss in accuracy, in points, that is not to be reached"""
    floor_over_majority: float
    """least distance from the accuracy of the majority class, in points"""
    class_floor: float
    """least recall of each expression, 0..1"""
    calibration_limit: float
    """greatest expected calibration error after temperature scaling, 0..1"""


@dataclass(frozen=True)
class Check:
    """One thing that a candidate has to show, and whether it did."""

    name: str
    value: float
    """what was measured, in the unit of `limit`"""
    limit: float
    passed: bool
    words: str
    """both in words, with what lies behind them"""


@dataclass(frozen=True)
class Difference:
    """A difference, candidate less champion, and the 95 % interval of its bootstrap."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """What the gate says about a candidate, and why. What has a default is absent from versions stored before it."""

    decision: Decision
    """PROMOTE: it may serve; REJECT: below a floor, or worse than the champion; HOLD: neither is shown"""
    reasons: tuple[str, ...]
    """in words, with the numbers"""
    against: str
    """the champion's version, or `majority class` for a first model"""
    alpha: float
    """level of significance, one-sided"""
    paired: Paired | None
    """the counts; none where candidate and champion are the same model"""
    rules: Rules | None = None
    """what the candidate had to show"""
    checks: tuple[Check, ...] = ()
    """what it did show; where candidate and champion are the same model, that what serves answers as it does, alone"""
    macro_f1: Difference | None = None
    """the difference in macro F1 from the champion, which decides nothing; none for a first model"""


class Move(BaseModel):
    """One change of the champion, and who decided it: the gate at a push, a person, or a person who went back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    """the champion from then on"""
    previous: str | None
    """the champion until then"""
    verdict: Verdict | None = None
    """why the gate decided so; none where it did not decide"""
    when: AwareDatetime
    """UTC"""
    by: Decider = "gate"
    who: str = ""
    """the person; empty for the gate"""
    reason: str = ""
    """why, in the person's words"""


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
    """Make the record in which `version` follows `champion` by the gate's verdict."""
    return followed(champion, Move(version=version, previous=serving(champion), verdict=verdict, when=when))


def followed(champion: Champion | None, move: Move) -> Champion:
    """Make the record after `move`."""
    history = champion.history if champion else ()
    return Champion(version=move.version, previous=move.previous, history=(*history, move))


def serving(champion: Champion | None) -> str | None:
    """The version that serves; none where there is no champion."""
    return champion.version if champion else None


def was_champion(champion: Champion | None, version: str) -> bool:
    """Whether a version is or was champion."""
    return champion is not None and any(move.version == version for move in champion.history)


def verdict_of(champion: Champion | None, version: str, stored: Verdict) -> Verdict:
    """The gate's last verdict on a version: that of its last promotion, or else the one that it was `stored` with.

    A push that lost the race for the champion, or died before it, was repeated, and came to another verdict perhaps.
    """
    moves = reversed(champion.history if champion else ())
    return next((move.verdict for move in moves if move.version == version and move.verdict), stored)


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
        f"champion of {name}: expected {serving(expected) or 'none'}, found {serving(found) or 'none'}: "
        "another was faster.",
        "Run the same command again: it looks at the new champion.",
    )

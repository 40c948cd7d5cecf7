"""Cron expressions as Kubeflow reads them (robfig/cron 1): six fields, seconds first.

seconds  minutes  hours  day of the month  month  day of the week (0 or SUN to 6 or SAT)

A field is a list, by commas, of `*` or `?` (any), N, N-M, each with `/STEP` where not every one is meant. The clock is
that of the cluster's time zone, UTC if nobody set it.
"""

from typing import NamedTuple


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    """words for the numbers from `low` on"""

    def problem(self, text: str) -> str:
        """What is wrong with the field, nothing where it is right."""
        return next((problem for part in text.split(",") if (problem := self._part(part))), "")

    def _part(self, part: str) -> str:
        bounds, slash, step = part.partition("/")
        if slash and not (step.isdecimal() and int(step)):
            return f"{self.name}: expected a number behind the slash, received {part!r}."
        if bounds in ("*", "?"):
            return ""
        numbers = [self._number(word) for word in bounds.split("-")]
        if -1 in numbers or len(numbers) > 2 or numbers[0] > numbers[-1]:
            words = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
            return f"{self.name}: expected {self.low} to {self.high}{words}, received {part!r}."
        return ""

    def _number(self, word: str) -> int:
        """The number that a word stands for, -1 where it is none of this field's."""
        if word.upper() in self.names:
            return self.low + self.names.index(word.upper())
        number = int(word) if word.isdecimal() else -1
        return number if self.low <= number <= self.high else -1


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FIELDS = (
    _Field("seconds", 0, 59),
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 6, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")),
)


def problem(text: str) -> str:
    """What is wrong with a cron expression and, for the usual mistake, what was meant; nothing where it is right."""
    words = text.split()
    if len(words) == 5:
        return f"expected six fields, seconds first: try '0 {' '.join(words)}'. Received: {text!r}"
    if len(words) != 6:
        return f"expected six fields, seconds first, e.g. '0 0 3 * * 1' (Mondays at 3). Received: {text!r}"
    return next((found for field, word in zip(_FIELDS, words, strict=True) if (found := field.problem(word))), "")

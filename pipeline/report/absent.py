"""What a report would show and the run did not leave, or left on another machine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Absent:
    """Why something is not in the report."""

    why: str
    mend: str = ""
    """the command that brings it"""

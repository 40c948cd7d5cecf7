"""Why a request is not answered."""

from typing import Literal

Kind = Literal["not_found", "method", "content_type", "json", "tensor", "image", "no_face", "too_large", "slow", "busy"]
"""Kinds of errors, as /metrics counts them, `internal` and `other` beside them."""

STATUS: dict[Kind, int] = {
    "not_found": 404,
    "method": 405,
    "content_type": 415,
    "json": 400,
    "tensor": 400,
    "image": 400,
    "no_face": 422,
    "too_large": 413,
    "slow": 408,
    "busy": 503,
}


class Refused(Exception):
    """A request that cannot be answered: one sentence that says what was expected, what was received, and where."""

    def __init__(self, kind: Kind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.kind]

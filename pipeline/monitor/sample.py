"""Images as a few figures of each: what a reference and a window of served images are compared by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from components.fer.errors import InputError
from components.fer.metrics.scores import Floats, Probabilities, predicted
from components.serve.observations import FEATURES, Observation, features

Kind = Literal["inputs", "predictions"]

MEASURED = (*FEATURES, "confidence", "entropy")
"""figures with a value for each image: of the image itself, and of what the model says"""

EXPRESSIONS = "expressions"
"""the figure that is a distribution: how often each expression is answered"""

FIGURES: dict[str, Kind] = {
    **dict.fromkeys(FEATURES, "inputs"),
    **dict.fromkeys(("confidence", "entropy", EXPRESSIONS), "predictions"),
}
"""All figures that are compared, each with what drifts where it does."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Images that are compared with others."""

    values: Floats
    """(N, 6), in the order of `MEASURED`"""
    expression: NDArray[np.intp]
    """(N,), the most probable one"""
    expressions: int
    """how many the model answers: E, 7 or 8"""

    @classmethod
    def of(cls, images: NDArray[np.uint8], probabilities: Probabilities) -> Self:
        """Measure images (N, 48, 48, 1) and what a model says of them, (N, E)."""
        return cls._of(features(images), probabilities.astype(np.float64))

    @classmethod
    def observed(cls, observations: Sequence[Observation]) -> Self:
        """What a server remembers of images, at least one. Raises `InputError` where they are of different models."""
        if len(widths := {len(one.probabilities) for one in observations}) > 1:
            raise _different(*sorted(widths))
        measured = np.array([[getattr(one, name) for name in FEATURES] for one in observations])
        return cls._of(measured, np.array([one.probabilities for one in observations]))

    @classmethod
    def _of(cls, measured: Floats, probabilities: Floats) -> Self:
        # Another runtime's arithmetic differs in the fifth digit, which would order images that are equally sure.
        confidence = np.round(probabilities.max(axis=1), 3)
        entropy = np.round(special.entr(probabilities).sum(axis=1) / np.log(2), 3)  # bits
        return cls(np.column_stack((measured, confidence, entropy)), predicted(probabilities), probabilities.shape[1])

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Sample":
        """Those of the images that `chosen` says, by mask or by place."""
        return Sample(self.values[chosen], self.expression[chosen], self.expressions)

    def and_(self, other: "Sample") -> "Sample":
        """Both one after the other. Raises `InputError` where they are of different models."""
        if other.expressions != self.expressions:
            raise _different(self.expressions, other.expressions)
        values = np.vstack((self.values, other.values))
        return Sample(values, np.concatenate((self.expression, other.expression)), self.expressions)

    def __len__(self) -> int:
        return len(self.expression)


def _different(*counts: int) -> InputError:
    return InputError(
        f"observations: expected those of one model, received answers of {' and '.join(map(str, counts))} expressions.",
        "Look at what one version answered: name another folder of OBSERVATIONS.",
    )

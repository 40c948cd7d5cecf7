"""Image by image, on PublicTest: where candidate and champion differ, and where the candidate is most surely wrong.

PrivateTest is left out: who looks at its images one by one chooses by it.
"""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from components.evaluate.faces import confident_mistakes
from components.fer.dataset import EIGHT, USAGES, Faces, Predictions, expression_names
from components.fer.errors import InputError
from components.fer.metrics import scores

CHANGES, MISTAKES = 100, 24
"""most rows of the two tables"""

PUBLIC = USAGES.index("PublicTest")


@dataclass(frozen=True)
class Answer:
    """What a model says of an image."""

    expression: str
    probability: float
    right: bool


@dataclass(frozen=True)
class Case:
    """An image."""

    row: int
    """in the csv, from 0 on without its heading"""
    label: str
    answers: tuple[Answer, ...]
    """of the candidate, then of the champion where it is asked too"""
    image: str | None
    """as an address that holds it; none where images are not wanted"""


@dataclass(frozen=True)
class Changes:
    """Where two models answer differently."""

    champion: str
    """version"""
    by_expression: tuple[tuple[str, int, int], ...]
    """images gained and lost of each, by its label"""
    elsewhere: int
    """images on which both are wrong, in different ways"""
    total: int
    """images with another answer"""
    cases: tuple[Case, ...]
    """those where the probability of the label moved farthest"""


def changes(candidate: Predictions, champion: Predictions, version: str, faces: Faces | None) -> Changes:
    """Compare two models on the same PublicTest images. Raises `InputError` where they are not the same."""
    mine, theirs = _public(candidate), _public(champion)
    if not (np.array_equal(mine["row"], theirs["row"]) and np.array_equal(mine["label"], theirs["label"])):
        raise InputError(f"predictions of champion {version}: not for the same PublicTest images as the candidate's.")
    label, both = mine["label"], (mine["probabilities"], theirs["probabilities"])
    answers = [scores.predicted(said) for said in both]
    right = [answer == label for answer in answers]
    gained, lost = right[0] & ~right[1], right[1] & ~right[0]
    differing = np.flatnonzero(answers[0] != answers[1])
    ofs = [np.take_along_axis(said, label[:, None].astype(np.intp), axis=1)[:, 0] for said in both]
    farthest = differing[np.argsort(-np.abs(ofs[0] - ofs[1])[differing], kind="stable")]
    return Changes(
        champion=version,
        by_expression=tuple(
            (name, int(np.sum(gained & (label == place))), int(np.sum(lost & (label == place))))
            for place, name in enumerate(expression_names(max(said.shape[1] for said in both)))
        ),
        elsewhere=len(differing) - int(gained.sum()) - int(lost.sum()),
        total=len(differing),
        cases=tuple(_cases(farthest[:CHANGES], mine["row"], label, both, faces)),
    )


def mistakes(candidate: Predictions, faces: Faces | None) -> tuple[Case, ...]:
    """The PublicTest images on which a model is most sure of a wrong answer."""
    mine = _public(candidate)
    worst = confident_mistakes(mine["probabilities"], mine["label"])[:MISTAKES]
    return tuple(_cases(worst, mine["row"], mine["label"], (mine["probabilities"],), faces))


def _public(predictions: Predictions) -> dict[str, NDArray[Any]]:
    mine = predictions.usage == PUBLIC
    return {name: column[mine] for name, column in predictions.columns().items()}


def _cases(
    shown: NDArray[np.intp],
    row: NDArray[np.int32],
    label: NDArray[np.uint8],
    models: tuple[scores.Probabilities, ...],
    faces: Faces | None,
) -> Iterator[Case]:
    for place in shown:
        answers = (
            Answer(EIGHT[said := int(of[place].argmax())], float(of[place, said]), bool(said == label[place]))
            for of in models
        )
        image = None if faces is None else png(faces.images[row[place]])
        yield Case(int(row[place]), EIGHT[label[place]], tuple(answers), image)


def png(image: NDArray[np.uint8]) -> str:
    """An image (48, 48) as an address that holds it."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"

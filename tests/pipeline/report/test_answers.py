"""Two models image by image."""

import dataclasses
import io
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from components.fer.dataset import Faces, Predictions
from components.fer.errors import InputError
from pipeline.report import answers
from pipeline.report.answers import PUBLIC
from tests.components.model_store.made import predictions

BETTER, WORSE = predictions(70), predictions(60)


def test_what_differs_is_counted_by_the_label() -> None:
    found = answers.changes(BETTER, WORSE, "0001-aaaaaaaa", None)
    assert found.total == 10
    assert sum(gained for _, gained, _ in found.by_expression) == 10
    assert sum(lost for _, _, lost in found.by_expression) == found.elsewhere == 0
    back = answers.changes(WORSE, BETTER, "0002-bbbbbbbb", None)
    assert sum(lost for _, _, lost in back.by_expression) == 10


def test_wrong_in_another_way_is_neither_gained_nor_lost() -> None:
    other = np.roll(WORSE.probabilities, 1, axis=1)
    right = other.argmax(axis=1) == WORSE.label
    other[right] = np.roll(other[right], 1, axis=1)
    found = answers.changes(dataclasses.replace(WORSE, probabilities=other), WORSE, "0001-aaaaaaaa", None)
    counted = sum(gained + lost for _, gained, lost in found.by_expression)
    assert found.elsewhere == found.total - counted > 0


def test_only_public_images_are_shown() -> None:
    public = set(BETTER.row[BETTER.usage == PUBLIC].tolist())
    cases = (*answers.changes(BETTER, WORSE, "v", None).cases, *answers.mistakes(WORSE, None))
    assert {one.row for one in cases} <= public


def test_the_farthest_moved_come_first() -> None:
    said = 0.5 * np.eye(7, dtype=np.float32)[WORSE.label] + 0.5 / 7
    said[3] = np.eye(7)[(WORSE.label[3] + 1) % 7]
    found = answers.changes(dataclasses.replace(WORSE, probabilities=said), WORSE, "v", None)
    assert found.cases[0].row == 3
    assert [answer.right for answer in found.cases[0].answers] == [False, True]


def test_mistakes_are_wrong_and_the_surest_first() -> None:
    softened = dataclasses.replace(
        WORSE, probabilities=WORSE.probabilities * np.linspace(0.5, 1, 120, dtype=np.float32)[:, None]
    )
    found = answers.mistakes(softened, None)
    assert len(found) == answers.MISTAKES
    sure = [one.answers[0].probability for one in found]
    assert sure == sorted(sure, reverse=True)
    assert not any(one.answers[0].right for one in found)


def test_models_on_other_images_are_not_compared() -> None:
    other = Predictions(BETTER.row + 1, BETTER.label, BETTER.usage, BETTER.probabilities)
    with pytest.raises(InputError, match="champion 0001-aaaaaaaa: not for the same PublicTest images"):
        answers.changes(BETTER, other, "0001-aaaaaaaa", None)


def test_images_are_shown_only_where_they_are_given(made: Faces) -> None:
    assert answers.mistakes(WORSE, None)[0].image is None
    shown = answers.mistakes(WORSE, made)[0]
    assert shown.image
    head, _, text = shown.image.partition(",")
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(b64decode(text)))), made.images[shown.row])

"""The made data set has FER2013's format and defects, and depends on its seed alone."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from components.fer import made_faces
from components.fer.dataset import EXPRESSIONS, Faces


def test_the_same_seed_draws_the_same_faces(made: Faces) -> None:
    again = made_faces.made_faces(700, seed=1)
    for name, array in made.columns().items():
        np.testing.assert_array_equal(again.columns()[name], array, strict=True)
    assert not np.array_equal(made_faces.made_faces(700, seed=2).images, made.images)


def test_eight_of_ten_images_train(made: Faces) -> None:
    assert np.bincount(made.usage).tolist() == [560, 70, 70]
    assert np.all(np.diff(made.usage.astype(int)) >= 0)


@pytest.mark.parametrize("count", [0, 1, 7, 50, 51, 100])
def test_any_number_of_faces_can_be_drawn(count: int) -> None:
    faces = made_faces.made_faces(count, seed=0)
    assert faces.images.shape == (count, 48, 48)
    assert faces.images.dtype == faces.label.dtype == faces.usage.dtype == np.uint8
    Faces.checked(faces.columns(), "made faces")


def test_all_expressions_are_equally_frequent(made: Faces) -> None:
    counts = np.bincount(made.label, minlength=len(EXPRESSIONS))
    assert counts.max() - counts.min() <= 2  # one label is changed, to be in conflict


def test_there_is_something_for_an_audit_to_find(made: Faces) -> None:
    flat = made.images.reshape(len(made), -1)
    _, group, sizes = np.unique(flat, axis=0, return_inverse=True, return_counts=True)
    copied = {tuple(sorted(set(made.usage[group == g]))) for g in np.flatnonzero(sizes > 1)}
    assert {0} < {usage for usages in copied for usage in usages}
    assert any(len(usages) > 1 for usages in copied), "no copy across splits"
    labels = [len(set(made.label[group == g])) for g in np.flatnonzero(sizes > 1)]
    assert sum(count > 1 for count in labels) == 1, "one group in conflict"
    assert np.flatnonzero((flat == 0).all(axis=1)).tolist() == [37]


def test_expressions_can_be_told_apart(made: Faces) -> None:
    """Nearest class mean, a poor classifier, is far above chance: the faces are worth training on."""
    training, test = made.usage == 0, made.usage == 2
    flat = made.images.reshape(len(made), -1).astype(float)
    flat -= flat.mean(axis=1, keepdims=True)
    means = np.stack([flat[training & (made.label == label)].mean(axis=0) for label in range(len(EXPRESSIONS))])
    predicted = ((flat[test, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (predicted == made.label[test]).mean() > 2 / 7


def test_the_csv_is_written_as_the_official_one(made: Faces, made_csv: Path) -> None:
    header, *lines = made_csv.read_bytes().decode("ascii").split("\n")
    assert header == "emotion,pixels,Usage"
    assert lines.pop() == ""
    assert len(lines) == 700
    label, pixels, usage = lines[650].split(",")
    assert (int(label), usage) == (made.label[650], "PrivateTest")
    assert pixels == " ".join(map(str, made.images[650].ravel()))


@pytest.mark.genuine
@pytest.mark.slow
def test_writing_the_genuine_faces_gives_the_official_csv(genuine_csv: Path, tmp_path: Path) -> None:
    from components.validate import reader

    official = hashlib.md5(genuine_csv.read_bytes(), usedforsecurity=False).hexdigest()
    made_faces.write_csv(reader.read(str(genuine_csv), official).faces, tmp_path / "fer2013.csv")
    assert hashlib.md5((tmp_path / "fer2013.csv").read_bytes(), usedforsecurity=False).hexdigest() == official

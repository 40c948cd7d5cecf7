"""Which Training images are kept, and how the dropped ones are counted."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.fer.dataset import EXPRESSIONS, Faces, Masks
from components.preprocess.selection import KEPT, REASONS, counts, detections, drop_reason, sampled
from tests.components.fer import strategies
from tests.components.preprocess.audit import masks_of

CONSTANT, CONFLICT, COPY = range(3)
ALL = frozenset(REASONS)


def faces_like(images: str, label: list[int], usage: list[int]) -> Faces:
    """Faces of which equal letters are equal images; `0` is constant."""
    pool = {letter: np.random.default_rng(ord(letter)).integers(0, 256, (48, 48), np.uint8) for letter in images}
    pool["0"] = np.zeros((48, 48), np.uint8)
    stack = np.array([pool[letter] for letter in images], np.uint8).reshape(-1, 48, 48)
    return Faces(stack, np.array(label, np.uint8), np.array(usage, np.uint8))


def reasons(faces: Faces, active: frozenset[str] = ALL) -> list[int]:
    return list(drop_reason(faces, masks_of(faces), active))


def test_the_first_of_identical_images_is_kept() -> None:
    assert reasons(faces_like("abaab", [1, 2, 1, 1, 2], [0] * 5)) == [KEPT, KEPT, COPY, COPY, COPY]


def test_identical_images_with_two_labels_are_all_dropped() -> None:
    assert reasons(faces_like("abaa", [1, 2, 1, 3], [0] * 4)) == [CONFLICT, KEPT, CONFLICT, CONFLICT]


def test_without_drop_conflicts_the_first_of_them_is_kept() -> None:
    assert reasons(faces_like("abaa", [1, 2, 1, 3], [0] * 4), frozenset({"copy"})) == [KEPT, KEPT, COPY, COPY]


def test_a_constant_image_counts_as_constant_whatever_else_it_is() -> None:
    assert reasons(faces_like("00a", [1, 2, 3], [0] * 3)) == [CONSTANT, CONSTANT, KEPT]
    assert reasons(faces_like("00a", [1, 2, 3], [0] * 3), frozenset({"conflict", "copy"})) == [CONFLICT, CONFLICT, KEPT]


def test_a_copy_in_another_split_changes_nothing() -> None:
    faces = faces_like("aabbc", [1, 1, 2, 2, 3], [1, 0, 0, 2, 0])  # a PublicTest copy stands before the Training one
    assert reasons(faces) == [KEPT] * 5


def test_a_label_of_another_split_makes_no_conflict() -> None:
    """Dropping it would choose the training data by a test label."""
    faces = faces_like("aabb", [1, 5, 2, 6], [0, 1, 0, 2])
    assert masks_of(faces).conflict.all()
    assert reasons(faces) == [KEPT] * 4


def test_nothing_is_dropped_unasked() -> None:
    assert reasons(faces_like("0aab", [1, 2, 3, 4], [0] * 4), frozenset()) == [KEPT] * 4


def test_no_images_at_all() -> None:
    assert reasons(faces_like("", [], [])) == []


active_reasons = st.frozensets(st.sampled_from(REASONS))


@given(faces=strategies.faces(), active=active_reasons)
@settings(max_examples=100, deadline=None)
def test_what_is_left_has_no_such_defects_and_nothing_else_is_missing(faces: Faces, active: frozenset[str]) -> None:
    reason = drop_reason(faces, masks_of(faces), active)
    assert (reason[faces.usage > 0] == KEPT).all()
    key = [image.tobytes() for image in faces.images]
    training = np.flatnonzero(faces.usage == 0)
    labels = {k: {int(faces.label[row]) for row in training if key[row] == k} for k in key}
    for position, row in enumerate(training):
        defects = {
            "constant": len(set(key[row])) == 1,
            "conflict": len(labels[key[row]]) > 1,
            "copy": key[row] in [key[earlier] for earlier in training[:position]],
        }
        applying = [index for index, name in enumerate(REASONS) if defects[name] and name in active]
        assert reason[row] == (applying or [KEPT])[0]


@given(faces=strategies.faces(), active=active_reasons)
@settings(max_examples=50, deadline=None)
def test_labels_of_the_other_splits_play_no_part(faces: Faces, active: frozenset[str]) -> None:
    other = np.where(faces.usage == 0, faces.label, (faces.label + 1) % 7).astype(np.uint8)
    relabelled = Faces(faces.images, other, faces.usage)
    assert reasons(faces, active) == reasons(relabelled, active)


@given(faces=strategies.faces(), active=active_reasons)
@settings(max_examples=50, deadline=None)
def test_counts_add_up(faces: Faces, active: frozenset[str]) -> None:
    reason = drop_reason(faces, masks_of(faces), active)
    counted = counts(faces, reason, reason == KEPT)
    images, dropped, classes = counted["images"], counted["dropped"], counted["training"]
    assert images["training"]["before"] - sum(dropped.values()) == images["training"]["after"]
    assert all(images[name]["before"] == images[name]["after"] for name in ("public", "private"))
    assert sum(split["before"] for split in images.values()) == len(faces)
    for when in ("before", "after"):
        assert sum(entry[when] for entry in classes.values()) == images["training"][when]
    assert all(dropped[name] == 0 for name in REASONS if name not in active)


@given(faces=strategies.faces(), count=st.integers(1, 5), seed=st.integers(0, 9), kept=st.data())
@settings(max_examples=50, deadline=None)
def test_a_sample_has_so_many_of_the_kept_images_of_each_split(
    faces: Faces, count: int, seed: int, kept: st.DataObject
) -> None:
    among = np.array(kept.draw(st.lists(st.booleans(), min_size=len(faces), max_size=len(faces))), bool)
    drawn = sampled(faces, among, count, seed)
    assert not (drawn & ~among).any()
    for usage in range(3):
        assert drawn[faces.usage == usage].sum() == min(count, among[faces.usage == usage].sum())


def test_a_sample_has_the_proportions_of_its_split(made: Faces) -> None:
    drawn = sampled(made, np.ones(len(made), bool), 35, seed=1)
    for usage in range(3):
        assert np.abs(np.bincount(made.label[drawn & (made.usage == usage)], minlength=7) - 5).max() <= 1
    assert (drawn != sampled(made, np.ones(len(made), bool), 35, seed=2)).any()


def test_counts_after_are_those_of_the_sample(made: Faces) -> None:
    reason = np.full(len(made), KEPT)
    counted = counts(made, reason, sampled(made, reason == KEPT, 35, seed=1))
    assert counted["images"]["training"] == {"before": 560, "after": 35}
    assert counted["images"]["private"] == {"before": 70, "after": 35}


def test_detections_are_counted_by_split_and_expression() -> None:
    happy, sad = EXPRESSIONS.index("happy"), EXPRESSIONS.index("sad")
    faces = faces_like("abcd", [happy, happy, sad, sad], [0, 0, 0, 1])
    found = detections(faces, np.array([True, False, True, False]))
    assert found["training"]["all"] == {"images": 3, "detected": 2, "unaligned": 1, "percent": 66.67}
    assert found["training"]["happy"] == {"images": 2, "detected": 1, "unaligned": 1, "percent": 50.0}
    assert found["public"]["sad"] == {"images": 1, "detected": 0, "unaligned": 1, "percent": 0.0}
    assert found["private"]["all"] == {"images": 0, "detected": 0, "unaligned": 0, "percent": None}


@pytest.mark.parametrize(
    "active", [frozenset(names) for size in range(4) for names in itertools.combinations(REASONS, size)]
)
def test_what_is_kept_does_not_depend_on_the_precedence(active: frozenset[str], made: Faces) -> None:
    masks: Masks = masks_of(made)
    together = drop_reason(made, masks, active) == KEPT
    singly = np.logical_and.reduce(
        [np.ones(len(made), bool), *(drop_reason(made, masks, {name}) == KEPT for name in active)]
    )
    np.testing.assert_array_equal(together, singly)

"""The audit finds planted defects, and in the genuine FER2013 the published ones."""

import numpy as np
import pytest

from components.fer.dataset import EXPRESSIONS, Faces, Masks
from components.validate import audit, figures

TRAINING, PUBLIC, PRIVATE = 0, 1, 2


@pytest.fixture
def planted() -> Faces:
    """Nine images: four of Training, two of PublicTest, three of PrivateTest, with a defect of each kind."""
    images = np.random.default_rng(1).integers(0, 256, (9, 48, 48)).astype(np.uint8)
    images[1] = 0  # Training: constant
    images[4] = images[0]  # PublicTest: copy of Training under the same label
    images[5] = 0  # PublicTest: constant, and so a copy of row 1 that correlates with nothing
    images[6] = images[2]  # PrivateTest: copy of Training under another label
    images[7] = images[3, :, ::-1] // 2  # PrivateTest: mirror image of Training, darker
    usage = np.array([TRAINING] * 4 + [PUBLIC] * 2 + [PRIVATE] * 3, np.uint8)
    return Faces(images, np.array([0, 1, 2, 3, 0, 1, 6, 3, 4], np.uint8), usage)


@pytest.fixture
def found(planted: Faces) -> Masks:
    return audit.masks(planted, near_correlation=0.95)


def rows(mask: audit.Bools) -> list[int]:
    return np.flatnonzero(mask).tolist()


def test_identical_images_share_the_row_of_the_first(found: Masks) -> None:
    assert found.copy_group.tolist() == [0, 1, 2, 3, 0, 1, 2, 7, 8]
    assert found.copy_group.dtype == np.int32


def test_a_conflict_is_an_identical_image_with_another_label(found: Masks) -> None:
    assert rows(found.conflict) == [2, 6]


def test_constant_images_are_found(found: Masks) -> None:
    assert rows(found.constant) == [1, 5]


def test_test_images_with_a_copy_in_training_are_not_clean(found: Masks) -> None:
    assert rows(~found.clean_exact) == [4, 5, 6]
    assert rows(~found.clean_near) == [4, 5, 6, 7]


def test_correlation_is_with_a_training_image_or_its_mirror_image(found: Masks) -> None:
    near = found.near_correlation
    assert near.dtype == np.float32
    assert np.isnan(near[:4]).all()
    np.testing.assert_allclose(near[[4, 5, 6]], [1, 0, 1], atol=1e-6)
    assert 0.99 < near[7] < 1
    assert abs(near[8]) < 0.5


def test_correlation_is_that_of_its_definition(made: Faces) -> None:
    """Word by word: averaged over 2x2, mean removed, scaled to length 1; greatest product with image or mirror."""
    small = made.images.reshape(-1, 24, 2, 24, 2).mean(axis=(2, 4))
    small -= small.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt((small**2).sum(axis=(1, 2), keepdims=True))
    small = np.divide(small, length, out=np.zeros_like(small), where=length > 0)
    training, test = small[made.usage == TRAINING], small[made.usage != TRAINING].reshape(-1, 576)
    products = [test @ images.reshape(-1, 576).T for images in (training, training[:, :, ::-1])]
    received = audit.correlation_with_training(made.images, made.usage)
    np.testing.assert_allclose(received[made.usage != TRAINING], np.max(products, axis=(0, 2)), atol=1e-5)


def test_the_faintest_image_is_no_constant_one() -> None:
    images = np.zeros((3, 48, 48), np.uint8)
    images[:, 0, 0] = 1
    near = audit.correlation_with_training(images, np.array([TRAINING, PUBLIC, PRIVATE], np.uint8))
    np.testing.assert_allclose(near[1:], 1, atol=1e-6)


def test_figures_count_what_was_planted(planted: Faces, found: Masks) -> None:
    counted = figures.figures(planted, found, near_correlation=0.95)
    assert counted["exact_copies"] == {
        "images": 9,
        "different_images": 6,
        "surplus": 3,
        "groups": 3,
        "images_in_groups": 6,
        "groups_with_conflicting_labels": 1,
        "images_in_conflict": 2,
        "surplus_within": {"training": 0, "public": 0, "private": 0},
        "groups_spanning": {
            "training_and_private_only": 1,
            "training_and_public_only": 2,
            "public_and_private_only": 0,
            "all": 0,
        },
        "with_copy_in_training": {
            "public": {"images": 2, "same_label": 2},
            "private": {"images": 1, "same_label": 0},
        },
    }
    assert counted["clean"] == {
        "public": {"full": 2, "exact": 0, "near": 0},
        "private": {"full": 3, "exact": 2, "near": 1},
    }
    assert counted["constant"] == {"all_zero": 2, "training": 1, "public": 1, "private": 0}


def test_near_copies_are_also_counted_at_the_threshold_that_the_masks_use(planted: Faces, found: Masks) -> None:
    counted = figures.near_copies(planted, found, near_correlation=0.5)
    assert counted["private"] == {"0.97": 2, "0.95": 2, "0.9": 2, "0.5": 2}


def by_expression(*counts: int) -> dict[str, int]:
    return dict(zip(["all", *EXPRESSIONS], counts, strict=True))


@pytest.mark.slow
@pytest.mark.genuine
def test_the_genuine_figures_are_the_published_ones_to_the_unit(genuine: Faces, genuine_masks: Masks) -> None:
    assert figures.figures(genuine, genuine_masks, near_correlation=0.95) == {
        "classes": {
            "training": by_expression(28709, 3995, 436, 4097, 7215, 4830, 3171, 4965),
            "public": by_expression(3589, 467, 56, 496, 895, 653, 415, 607),
            "private": by_expression(3589, 491, 55, 528, 879, 594, 416, 626),
        },
        "exact_copies": {
            "images": 35887,
            "different_images": 34034,
            "surplus": 1853,
            "groups": 1516,
            "images_in_groups": 3369,
            "groups_with_conflicting_labels": 57,
            "images_in_conflict": 160,
            "surplus_within": {"training": 1236, "public": 26, "private": 17},
            "groups_spanning": {
                "training_and_private_only": 261,
                "training_and_public_only": 253,
                "public_and_private_only": 26,
                "all": 17,
            },
            "with_copy_in_training": {
                "public": {"images": 280, "same_label": 273},
                "private": {"images": 288, "same_label": 279},
            },
        },
        "near_copies": {
            "public": {"0.97": 377, "0.95": 440, "0.9": 604},
            "private": {"0.97": 399, "0.95": 465, "0.9": 639},
        },
        "clean": {
            "public": {"full": 3589, "exact": 3309, "near": 3148},
            "private": {"full": 3589, "exact": 3301, "near": 3124},
        },
        "constant": {"all_zero": 12, "training": 11, "public": 1, "private": 0},
        "majority_class": {"expression": "happy", "public": 0.2494, "private": 0.2449},
    }

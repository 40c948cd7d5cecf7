import numpy as np
from matplotlib.figure import Figure

from components.evaluate import faces

IMAGES = np.random.default_rng(1).integers(0, 256, (30, 48, 48, 1), np.uint8)


def titles(figure: Figure) -> list[str]:
    return [text for axes in figure.axes if (text := axes.get_title())]


def test_the_surest_mistake_comes_first() -> None:
    sure = np.array([0.9, 0.5, 0.95, 0.7])
    probabilities = np.stack([sure, 1 - sure, *np.zeros((5, 4))], axis=1)
    label = np.array([1, 1, 0, 2])
    assert list(faces.confident_mistakes(probabilities, label)) == [0, 3, 1]


def test_the_gallery_says_what_was_answered_and_what_the_label_is() -> None:
    probabilities = np.tile([0.02, 0, 0, 0.98, 0, 0, 0], (30, 1))
    figure = faces.gallery(IMAGES, probabilities, np.full(30, 4))
    assert titles(figure) == ["happy 98 %\nlabel sad"] * 24
    assert len(titles(faces.gallery(IMAGES[:5], probabilities[:5], np.full(5, 4)))) == 5
    assert not titles(faces.gallery(IMAGES[:0], probabilities[:0], np.full(0, 4)))


def test_feature_maps_are_shown_behind_their_image_and_at_most_63() -> None:
    for filters, shown in ((5, 6), (63, 64), (200, 64)):
        maps = np.random.default_rng(2).normal(size=(10, 10, filters)).astype(np.float32)
        figure = faces.feature_maps(IMAGES[0], maps)
        pictures = [axes.images[0].get_array() for axes in figure.axes if axes.images]
        assert len(pictures) == shown
        np.testing.assert_array_equal(pictures[0], IMAGES[0, ..., 0])
        np.testing.assert_array_equal(pictures[-1], maps[..., shown - 2])

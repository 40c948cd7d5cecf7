"""Distances are SciPy's, know no order, and are nothing between equals; limits keep their promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial.distance import jensenshannon

from components.fer import made_faces
from components.serve import observations
from pipeline.monitor import drift
from pipeline.monitor.drift import Calibration, Pool
from pipeline.monitor.sample import FIGURES, MEASURED, Sample


def samples(least: int, most: int = 40) -> st.SearchStrategy[Sample]:
    """Few different values, so that many are equal."""
    return st.integers(least, most).flatmap(
        lambda count: st.builds(
            Sample,
            arrays.arrays(np.float64, (count, len(MEASURED)), elements=st.integers(0, 9).map(float)),
            arrays.arrays(np.intp, count, elements=st.integers(0, 6)),
            st.just(7),
        )
    )


def faces(count: int, seed: int) -> Sample:
    random = np.random.default_rng(seed)
    images = made_faces.draw(random.integers(0, 7, count).astype(np.uint8), random)[..., None]
    return Sample.of(images, random.dirichlet(np.ones(7), count).astype(np.float32))


def test_what_was_observed_is_measured_as_the_images_themselves() -> None:
    random = np.random.default_rng(1)
    images = made_faces.draw(np.arange(50, dtype=np.uint8) % 7, random)[..., None]
    answers = random.dirichlet(np.ones(7), 50).astype(np.float32)
    remembered = Sample.observed(observations.of(images, answers, "0001-1a2b3c4d"))
    assert np.mean(remembered.values == Sample.of(images, answers).values) > 0.99, "but where rounding tips one"
    assert drift.distances(Sample.of(images, answers), remembered).max() < 0.05
    assert drift.distances(Sample.of(images, answers), remembered)[:4].tolist() == [0, 0, 0, 0]


@given(samples(2), samples(2))
def test_distances_are_those_of_scipy(reference: Sample, window: Sample) -> None:
    pairs = zip(reference.values.T, window.values.T, strict=True)
    expected = [stats.ks_2samp(*pair, method="asymp").statistic for pair in pairs]
    shares = [np.bincount(one.expression, minlength=7) for one in (reference, window)]
    found = drift.distances(reference, window)
    assert found == pytest.approx([*expected, jensenshannon(*shares, base=2)], abs=1e-12)
    assert np.all((found >= 0) & (found <= 1))


@given(samples(2), st.randoms(use_true_random=False))
def test_the_order_of_images_does_not_matter(sample: Sample, random: object) -> None:
    window, order = sample.only(np.arange(len(sample))[1:]), list(range(len(sample) - 1))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = window.only(np.array(order, np.intp))
    assert drift.distances(sample, shuffled).tolist() == drift.distances(sample, window).tolist()


@given(samples(4), st.integers(1, 3))
@settings(max_examples=25)
def test_a_window_equal_to_the_reference_never_alarms(reference: Sample, times: int) -> None:
    again = reference.only(np.tile(np.arange(len(reference)), times))
    limits = drift.calibrate(reference, len(reference) // 2, draws=20).limits(0.5)
    assert not np.any(drift.distances(reference, again) > limits)
    assert drift.distances(reference, again) == pytest.approx(0, abs=1e-7)


distances = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 200), st.just(len(FIGURES))), elements=st.integers(0, 30).map(lambda n: n / 30)
)


@given(distances, st.floats(0, 0.99))
def test_at_most_alpha_of_the_drawn_windows_exceed_the_limits(drawn: NDArray[np.float64], alpha: float) -> None:
    limits = Calibration(drawn).limits(alpha)
    assert np.mean(np.any(drawn > limits, axis=1)) <= alpha


@given(distances, st.floats(0, 0.99), st.floats(0, 0.99))
def test_less_alpha_never_lowers_a_limit(drawn: NDArray[np.float64], one: float, other: float) -> None:
    calibration = Calibration(drawn)
    assert np.all(calibration.limits(min(one, other)) >= calibration.limits(max(one, other)))


def test_limits_use_up_alpha_and_are_the_same_again() -> None:
    reference = faces(400, seed=1)
    calibration = drift.calibrate(reference, 100, draws=1000)
    share = np.mean(np.any(calibration.drawn > calibration.limits(0.05), axis=1))
    assert 0.04 <= share <= 0.05
    again = drift.calibrate(reference, 100, draws=1000)
    assert again.drawn.tolist() == calibration.drawn.tolist()


def test_one_image_unlike_a_reference_of_equals_is_no_drift() -> None:
    alike = Sample(np.zeros((400, len(MEASURED))), np.zeros(400, np.intp), 7)
    limits = drift.calibrate(alike, 100, draws=50).limits(0.01)
    window = alike.only(np.arange(100))
    window.values[0] = 1
    assert not np.any(drift.distances(alike, window) > limits)
    window.values[:5] = 1
    assert (drift.distances(alike, window) > limits).tolist() == [True] * len(MEASURED) + [False]


def test_larger_windows_have_lower_limits() -> None:
    reference = faces(400, seed=1)
    limits = [drift.calibrate(reference, size, draws=300).limits(0.01) for size in (20, 60, 180)]
    assert np.all(limits[0] > limits[1])
    assert np.all(limits[1] > limits[2])


def test_windows_of_the_same_kind_alarm_as_seldom_as_promised() -> None:
    """Over many references, each with one window from the same source: what alpha promises."""
    alarms = 0
    pool = faces(3000, seed=2)
    calibration = drift.calibrate(pool.only(np.arange(300)), 100, draws=1000)
    random = np.random.default_rng(3)
    for _ in range(300):
        mixed = random.permutation(len(pool))
        window, reference = pool.only(mixed[:100]), pool.only(mixed[100:400])
        alarms += bool(np.any(drift.distances(reference, window) > calibration.limits(0.05)))
    assert alarms / 300 <= 0.05 + 3 * (0.05 * 0.95 / 300) ** 0.5


@pytest.mark.parametrize(("change", "figure"), [(-20, "brightness"), (40, "brightness")])
def test_a_change_of_light_is_seen_in_brightness(change: int, figure: str) -> None:
    random = np.random.default_rng(4)
    images = made_faces.draw(random.integers(0, 7, 600).astype(np.uint8), random)[..., None]
    answers = random.dirichlet(np.ones(7), 600).astype(np.float32)
    reference = Sample.of(images[:400], answers[:400])
    lit = np.clip(images[400:].astype(int) + change, 0, 255).astype(np.uint8)
    limits = drift.calibrate(reference, 200, draws=500).limits(0.01)
    beyond = drift.distances(reference, Sample.of(lit, answers[400:])) > limits
    found = {name for name, out in zip(FIGURES, beyond, strict=True) if out}
    assert figure in found
    assert found & {"confidence", "entropy", "expressions"} == set(), "the answers are the same"


def test_a_pool_parts_in_two_ways() -> None:
    sample = faces(30, seed=5)
    chosen = np.arange(30) < 10
    assert Pool(sample).distances(chosen).tolist() == Pool(sample).distances(~chosen).tolist()

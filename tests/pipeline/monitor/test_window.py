"""Which observations are looked at."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.serve.observations import Observation
from pipeline.monitor import window

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def observation(minutes: float = 0, version: str = "0001-1a2b3c4d", brightness: float = 100) -> Observation:
    return Observation(
        time=NOON + timedelta(minutes=minutes),
        version=version,
        brightness=brightness,
        contrast=50,
        sharpness=900,
        clipped=0,
        probabilities=(1, 0, 0, 0, 0, 0, 0),
    )


seen = st.lists(st.builds(observation, st.integers(0, 5), brightness=st.integers(0, 255).map(float)), min_size=1)


@given(seen, st.randoms(use_true_random=False), st.data())
def test_the_same_are_chosen_in_whatever_order_they_come(
    found: list[Observation], random: object, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, len(found)))
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    chosen = window.spread(found, size)
    assert window.spread(shuffled, size) == chosen
    assert len(chosen) == size
    assert all(chosen.count(one) <= found.count(one) for one in chosen), "each once"


def test_they_are_spread_over_the_time() -> None:
    chosen = window.spread([observation(minute) for minute in range(1000)], 10)
    assert [(one.time - NOON) / timedelta(minutes=1) for one in chosen] == list(range(0, 1000, 100))


def test_of_faces_in_one_request_chance_chooses_not_brightness() -> None:
    pairs = [observation(minute, brightness=level) for minute in range(500) for level in (80, 120)]
    darker = sum(one.brightness == 80 for one in window.spread(pairs, 500))
    assert 190 < darker < 310


def test_versions_are_parted() -> None:
    mixed = [observation(version=version) for version in ("0001-aaaaaaaa", "0002-bbbbbbbb", "0001-aaaaaaaa")]
    found = window.by_version(mixed, NOON + timedelta(hours=1))
    assert {version: len(ones) for version, ones in found.items()} == {"0001-aaaaaaaa": 2, "0002-bbbbbbbb": 1}


def test_what_is_of_the_future_is_left_out_and_said(caplog: pytest.LogCaptureFixture) -> None:
    found = window.by_version([observation(4), observation(61), observation(125)], NOON)
    assert found == {"0001-1a2b3c4d": [observation(4)]}, "clocks differ by minutes"
    assert "2 observations are up to 2:05:00 ahead of this machine's clock, and are left out" in caplog.text

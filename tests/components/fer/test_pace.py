import logging

import pytest

from components.fer import pace


@pytest.fixture
def told_at_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(pace, "SECONDS_BETWEEN_LINES", -1.0)
    monkeypatch.setattr(pace, "SECONDS_BETWEEN_LINES_ON_A_TERMINAL", -1.0)
    caplog.set_level(logging.INFO, logger="ferflow")
    return caplog


def test_it_hands_on_what_it_gets_and_tells_how_far_it_is(told_at_once: pytest.LogCaptureFixture) -> None:
    assert list(pace.told("abc", "aligning", 3)) == ["a", "b", "c"]
    assert [message.split(",")[0] for message in told_at_once.messages] == [
        f"aligning: {done} of 3" for done in (1, 2, 3)
    ]
    assert told_at_once.messages[-1].endswith("0:00 left")


def test_short_work_is_told_of_in_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ferflow")
    assert len(list(pace.told(range(1_000), "aligning", 1_000))) == 1_000
    assert caplog.messages == []

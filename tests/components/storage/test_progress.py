"""What a slow transfer says."""

import io

import pytest

from components.storage.progress import Counted, Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands until it is set."""
    now = [100.0]
    monkeypatch.setattr("components.storage.progress.time.monotonic", lambda: now[0])
    return now


def test_a_line_now_and_then(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ferflow")
    transfer = Progress("fetching gs://bucket", 300_000_000)
    for _ in range(6):
        clock[0] += 11.0
        transfer.add(20_000_000)
    assert caplog.messages == [
        "fetching gs://bucket: 60 of 300 MB, 1.8 MB/s, 2:12 left",
        "fetching gs://bucket: 120 of 300 MB, 1.8 MB/s, 1:39 left",
    ]


def test_a_quick_one_says_nothing(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ferflow")
    Progress("fetching gs://bucket", 100).add(100)
    assert caplog.messages == []


def test_what_is_sent_twice_is_not_more_than_all(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ferflow")
    transfer = Progress("storing", 10_000_000)
    clock[0] += 100.0
    transfer.add(15_000_000)
    assert caplog.messages == ["storing: 10 of 10 MB, 0.1 MB/s, 0:00 left"]


def test_a_file_counts_what_goes_through_it() -> None:
    transfer = Progress("copying", 100)
    source, target = Counted(io.BytesIO(b"twelve bytes"), transfer), Counted(io.BytesIO(), transfer)
    target.write(source.read(6))
    assert (source.tell(), target.getvalue(), transfer.done) == (6, b"twelve", 12)

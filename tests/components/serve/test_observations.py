"""What a server remembers: figures and no images, whole lines from several processes, within bounds."""

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from components.fer import made_faces
from components.fer.errors import InputError
from components.serve import observations
from components.serve.observations import Log, Observation

VERSION = "0001-1a2b3c4d"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


def made(count: int, when: datetime = NOON) -> list[Observation]:
    images = made_faces.draw(np.arange(count, dtype=np.uint8) % 7, np.random.default_rng(1))[..., None]
    answers = np.random.default_rng(2).dirichlet(np.ones(7), count).astype(np.float32)
    return [one.model_copy(update={"time": when}) for one in observations.of(images, answers, VERSION)]


def grey(level: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((1, 48, 48, 1), level, np.uint8)


@pytest.mark.parametrize(("level", "clipped"), [(0, 1), (100, 0), (255, 1)])
def test_an_even_image_has_its_grey_and_neither_contrast_nor_edges(level: int, clipped: float) -> None:
    assert observations.features(grey(level)).tolist() == [[level, 0, 0, clipped]]


def test_figures_are_those_of_numpy_and_scipy() -> None:
    images = made_faces.draw(np.arange(7, dtype=np.uint8), np.random.default_rng(1))
    laplacian = [ndimage.laplace(one.astype(float))[1:-1, 1:-1].var() for one in images]
    expected = np.column_stack([images.mean((1, 2)), images.std((1, 2)), laplacian])
    assert observations.features(images[..., None])[:, :3] == pytest.approx(expected, abs=1e-4)


def test_what_is_written_is_read_and_holds_no_image(tmp_path: Path) -> None:
    written = made(7)
    Log(tmp_path / "new").append(written)
    assert list(observations.read(tmp_path / "new", LONG_AGO)) == written
    (file,) = (tmp_path / "new").iterdir()
    assert file.name == "2026-01-31T12.jsonl"
    assert max(map(len, file.read_bytes().splitlines())) < 300, "figures, where an image has 2,304 pixels"
    assert written[0].probabilities == pytest.approx(np.random.default_rng(2).dirichlet(np.ones(7), 7)[0], abs=1e-6)


def test_a_sure_answer_is_a_probability_in_spite_of_rounding() -> None:
    above = np.array([[1.0000001, 0, 0, 0, 0, 0, 0]], np.float32)
    assert observations.of(grey(9), above, VERSION)[0].probabilities[0] == 1


PROCESS = """
import sys
from pathlib import Path
from components.serve import observations
log = observations.Log(Path(sys.argv[1]))
line = observations.Observation.model_validate_json(sys.argv[2]).model_copy(update={"version": sys.argv[3]})
for _ in range(100):
    log.append([line] * 3)
"""


@pytest.mark.slow
def test_processes_write_whole_lines_beside_each_other(tmp_path: Path) -> None:
    line = made(1)[0].model_dump_json()
    commands = [[sys.executable, "-c", PROCESS, str(tmp_path), line, f"000{number}-1a2b3c4d"] for number in range(4)]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait() for process in processes] == [0] * 4
    read = [one.version for one in observations.read(tmp_path, LONG_AGO)]
    assert sorted(read) == sorted(f"000{number}-1a2b3c4d" for number in range(4) for _ in range(300))


def test_half_a_line_of_a_killed_process_is_passed_over_and_joined_to_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log, (first, second, third) = Log(tmp_path), made(3)
    log.append([first, second])
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-100])
    assert list(observations.read(tmp_path, LONG_AGO)) == [first]
    assert "line 2: cut short, passed over" in caplog.text
    log.append([third])
    assert list(observations.read(tmp_path, LONG_AGO)) == [first, third]


def test_an_hour_is_bounded_and_says_once_that_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(observations, "LARGEST", 2000)
    log = Log(tmp_path)
    for _ in range(5):
        log.append(made(4))
    (file,) = tmp_path.iterdir()
    assert 1500 < file.stat().st_size <= 2000
    read = list(observations.read(tmp_path, LONG_AGO))
    assert read[:4] == made(4), "as many as fit, in whole lines"
    assert [record.getMessage().count("full (2,000 bytes)") for record in caplog.records] == [1]


def test_the_oldest_hours_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observations, "KEPT", 3)
    (tmp_path / "notes.txt").write_text("somebody's own")
    log = Log(tmp_path)
    for hour in range(6):
        log.append(made(1, NOON + timedelta(hours=hour)))
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == [*(f"2026-01-31T{hour}.jsonl" for hour in (15, 16, 17)), "notes.txt"]


def test_a_fault_of_the_disk_ends_no_answering(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "2026-01-31T12.jsonl").mkdir()
    log = Log(tmp_path)
    log.append(made(1))
    log.append(made(1))
    said = [record for record in caplog.records if record.name == "ferflow"]
    assert [record.levelno for record in said] == [logging.WARNING]
    assert "Is a directory" in said[0].getMessage()


def test_a_folder_that_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="File exists"):
        Log(tmp_path / "file")


def test_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for hour in range(3):
        log.append(made(1, NOON + timedelta(hours=hour)))
    (tmp_path / "2026-01-31T12.jsonl").write_text("{}\n")  # would be refused
    asked = NOON + timedelta(minutes=45)
    assert [one.time for one in observations.read(tmp_path, asked)] == [NOON + timedelta(hours=h) for h in (1, 2)]
    only = list(observations.read(tmp_path / "2026-01-31T14.jsonl", asked))
    assert [one.time for one in only] == [NOON + timedelta(hours=2)]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"no such file or folder.\nLet what serves the model note its answers: docs/monitor.md"
    ):
        list(observations.read(tmp_path / "nowhere", LONG_AGO))
    with pytest.raises(InputError, match="expected files such as 2026-01-31T14"):
        list(observations.read(tmp_path, LONG_AGO))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"brightness": -1}, "brightness"),
        ({"probabilities": [0.5, 0.5]}, "probabilities"),
        ({"time": "2026-01-31T12:00:00"}, "time"),
        ({"image": [0]}, "image"),
    ],
)
def test_json_that_is_no_observation_is_refused_by_line(tmp_path: Path, change: dict[str, object], told: str) -> None:
    path = tmp_path / "2026-01-31T12.jsonl"
    good = made(1)[0].model_dump(mode="json")
    path.write_text(f"{json.dumps(good)}\n{json.dumps(good | change)}\n")
    with pytest.raises(InputError, match=f"2026-01-31T12.jsonl, line 2: {told}"):
        list(observations.read(tmp_path, LONG_AGO))

"""What a server remembers of the images that it answered: a few figures of each, never an image.

    <folder>/2026-01-31T14.jsonl      a file for each hour (UTC), a line for each image

Several processes may write to one folder. What is kept is bounded: `LARGEST` bytes an hour, the newest `KEPT` hours.
"""

import fcntl
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from components.fer.dataset import EIGHT, EXPRESSIONS
from components.fer.errors import InputError

log = logging.getLogger("ferflow")

LARGEST = 2**20
"""bytes of an hour's file: about 4,000 images, many times what a look at a day needs; later ones are not remembered"""

KEPT = 14 * 24
"""hours' files, so that a folder has at most 336 MiB"""

SUFFIX = ".jsonl"
HOUR = f"%Y-%m-%dT%H{SUFFIX}"

FEATURES = ("brightness", "contrast", "sharpness", "clipped")

Figure = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Observation(BaseModel):
    """One image that was answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: AwareDatetime
    """UTC"""
    version: str
    """of the model; it has digits of the model's sha256, and so needs no name beside it"""
    brightness: Figure
    """mean grey, 0..255"""
    contrast: Figure
    """standard deviation of grey"""
    sharpness: Figure
    """variance of the Laplacian"""
    clipped: Figure
    """share of pixels that are black (0) or white (255), 0..1"""
    probabilities: Annotated[tuple[Probability, ...], Field(min_length=len(EXPRESSIONS), max_length=len(EIGHT))]
    """in the order of `EIGHT`"""


def features(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Measure images (N, 48, 48, 1): float64 (N, 4) in the order of `FEATURES`, rounded as they are remembered.

    Sharpness is that of Pech-Pacheco and others, "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    grey = images[..., 0].astype(np.int16)
    middle = grey[:, 1:-1, 1:-1]
    laplacian = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * middle
    pixels = (1, 2)
    measured = (
        grey.mean(axis=pixels),
        grey.std(axis=pixels),
        laplacian.var(axis=pixels),
        ((grey == 0) | (grey == 255)).mean(axis=pixels),
    )
    return np.round(np.column_stack(measured), 4)


def of(images: NDArray[np.uint8], probabilities: NDArray[np.float32], version: str) -> list[Observation]:
    """What is to be remembered now of images (N, 48, 48, 1) that `version` answered with probabilities (N, E)."""
    now = datetime.now(UTC)
    answers = np.round(np.clip(probabilities.astype(np.float64), 0, 1), 6)
    return [
        Observation(time=now, version=version, probabilities=tuple(answer), **dict(zip(FEATURES, row, strict=True)))
        for row, answer in zip(features(images).tolist(), answers.tolist(), strict=True)
    ]


class Log:
    """A folder of observations that grows within its bounds."""

    def __init__(self, folder: Path) -> None:
        """Make the folder. Raises `InputError` where it cannot be written."""
        self.folder = folder
        self._told: Path | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"observations {folder}: {error.strerror or error}.", MEND_FOLDER) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(f"observations {folder}: expected a folder that may be written.", MEND_FOLDER)

    def append(self, observations: Sequence[Observation]) -> None:
        """Write them at the end of the hour's file, as many as fit.

        Never raises: a full disk shall not end the answering. It is said once an hour, as a full hour is.
        """
        if not observations:
            return
        path = self.folder / observations[0].time.astimezone(UTC).strftime(HOUR)
        try:
            if not path.exists():
                self._forget(path)
            if not _append(path, [one.model_dump_json().encode() + b"\n" for one in observations]):
                self._tell(path, f"full ({LARGEST:,} bytes): the rest of this hour is not remembered")
        except OSError as error:
            self._tell(path, f"not written ({error.strerror or error})")

    def _tell(self, path: Path, what: str) -> None:
        if self._told != path:
            log.warning("observations %s: %s", path, what)
        self._told = path

    def _forget(self, new: Path) -> None:
        """Remove the oldest files, so that with the new one at most `KEPT` are left."""
        others = [path for path in files(self.folder) if path != new]
        for path in others[: max(0, len(others) + 1 - KEPT)]:
            path.unlink(missing_ok=True)


MEND_FOLDER = "Give another folder, or its owner's permission."
MEND_NONE = "Let what serves the model note its answers: docs/monitor.md"


def _append(path: Path, lines: Sequence[bytes]) -> bool:
    """Write `lines` after what other processes wrote, as many as fit; whether all did."""
    with path.open("ab+", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
        size = file.seek(0, os.SEEK_END)
        content = _ended(file, size) + b"".join(lines)
        room = LARGEST - size
        fits = len(content) <= room
        rest = memoryview(content if fits else content[: content.rfind(b"\n", 0, max(0, room)) + 1])
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.truncate(size)  # whole lines or none
            raise
    return fits


def _ended(file: FileIO, size: int) -> bytes:
    """What ends the last line: a process that was killed may have left half of one, to which none shall be joined."""
    if size == 0:
        return b""
    file.seek(size - 1)
    return b"" if file.read(1) == b"\n" else b"\n"


def files(folder: Path) -> list[Path]:
    """The hours' files, oldest first; other files are none of ours."""
    return sorted(path for path in folder.iterdir() if _hour(path) is not None)


def read(place: Path, since: datetime) -> Iterator[Observation]:
    """Read the observations from `since` on, of a folder or of one file.

    A line that is no JSON is what a killed process left: it is passed over with a warning. Raises `InputError` where
    there is nothing to read, and for JSON that is no observation.
    """
    if not place.exists():
        raise InputError(f"observations {place}: no such file or folder.", MEND_NONE)
    found = files(place) if place.is_dir() else [place]
    if not found:
        raise InputError(
            f"observations {place}: expected files such as 2026-01-31T14{SUFFIX}, found none.",
            MEND_NONE,
        )
    for path in found:
        hour = _hour(path)
        if hour is None or hour + timedelta(hours=1) > since:
            yield from (one for one in _lines(path) if one.time >= since)


def _lines(path: Path) -> Iterator[Observation]:
    with path.open("rb") as file:
        yield from _parsed(path, file)


def _parsed(path: Path, lines: Iterable[bytes]) -> Iterator[Observation]:
    for number, line in enumerate(lines, 1):
        try:
            yield Observation.model_validate_json(line)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_context=False)[0]
            if fault["type"] == "json_invalid":
                log.warning("observations %s, line %d: cut short, passed over", path, number)
                continue
            where = ".".join(map(str, fault["loc"])) or "line"
            raise InputError(
                f"observations {path}, line {number}: {where}: {fault['msg']}.",
                "Remove the file if no server of this release wrote it.",
            ) from error


def _hour(path: Path) -> datetime | None:
    """When the hour of a file begins; none where it is not named after one."""
    try:
        return datetime.strptime(path.name, HOUR).replace(tzinfo=UTC)
    except ValueError:
        return None

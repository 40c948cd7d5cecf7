"""Measure validate and preprocess on the whole data set, against their limits and against the published way.

    python -m tests.bench.data [data/fer2013.csv] [--runs 3] [--sample 1000]

Each run is a fresh process; the figures are medians. Exit code 1 where a limit is exceeded.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

IMAGES = 35_887
"""Images in FER2013, to which the sample of the published way is scaled."""

MOST_SECONDS = 15.0
"""For validate and preprocess together, after imports."""

MOST_MEMORY = 2**30
"""Bytes at the peak, for each of both."""


class Measured(NamedTuple):
    """Medians of several runs of one task."""

    seconds: float
    cpu: float
    """seconds of all cores: where it is far below `seconds`, the machine was busy with something else"""
    peak: float
    bytes: dict[str, int]


def measure(task: str, csv: Path, folder: Path, runs: int, images: int = 0) -> Measured:
    """Run a task of `tests.bench.work` several times, each in a process of its own."""
    results = []
    for number in range(1, runs + 1):
        command = [sys.executable, "-m", "tests.bench.work", task, str(csv), str(folder), str(images)]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{task} failed:\n{done.stderr}")
        results.append(json.loads(done.stdout.splitlines()[-1]))
        wall, cpu, peak = (results[-1][key] for key in ("seconds", "cpu", "peak"))
        say(f"{task} {number}/{runs}: {wall:.2f} s ({cpu:.2f} s CPU), {mebibytes(peak)}")
    seconds, cpu, peak = (statistics.median(result[key] for result in results) for key in ("seconds", "cpu", "peak"))
    return Measured(seconds, cpu, peak, results[-1]["bytes"])


def report(validate: Measured, preprocess: Measured, published: Measured, sample: int) -> tuple[str, bool]:
    """Make the table, and say whether the limits are kept."""
    seconds, peak = validate.seconds + preprocess.seconds, max(validate.peak, preprocess.peak)
    stored, scale = preprocess.bytes["prepared.pickle"], IMAGES / sample
    there_seconds, there_stored = published.seconds * scale, sum(published.bytes.values()) * scale
    in_time, in_memory = seconds <= MOST_SECONDS, peak <= MOST_MEMORY
    rows = [
        ("", "seconds", "CPU", "peak memory", "written"),
        _row("validate", validate),
        _row("preprocess", preprocess),
        *(("  " + name, "", "", "", mebibytes(count)) for name, count in preprocess.bytes.items()),
        _row(f"published way, {sample:,} images", published),
        (f"  scaled to {IMAGES:,}", f"{there_seconds:.1f}", "", "", mebibytes(there_stored)),
    ]
    lines = [f"{name:<32}{wall:>9}{cpu:>9}{memory:>14}{written:>14}" for name, wall, cpu, memory, written in rows]
    lines += [
        "",
        f"published way / ours, time: {there_seconds / seconds:.1f} (validate, with its audit, and preprocess)",
        f"published way / ours, time: {there_seconds / preprocess.seconds:.0f} (preprocess alone)",
        f"published way / ours, bytes: {there_stored / stored:.0f} (one pickle each)",
        f"{verdict(in_time)}: validate + preprocess {seconds:.2f} s, limit {MOST_SECONDS:.0f} s",
        f"{verdict(in_memory)}: peak memory {mebibytes(peak)}, limit {mebibytes(MOST_MEMORY)}",
    ]
    return "\n".join(lines), in_time and in_memory


def _row(name: str, measured: Measured) -> tuple[str, str, str, str, str]:
    written = mebibytes(sum(measured.bytes.values()))
    return name, f"{measured.seconds:.2f}", f"{measured.cpu:.2f}", mebibytes(measured.peak), written


def verdict(kept: bool) -> str:
    """Say in a word whether a limit is kept."""
    return "PASS" if kept else "FAIL"


def mebibytes(count: float) -> str:
    """Write a number of bytes."""
    return f"{count / 2**20:,.1f} MiB"


def say(line: str) -> None:
    """Show progress."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def main() -> None:
    """Measure, print, and exit 1 where a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path, nargs="?", default=Path("data/fer2013.csv"), help="fer2013.csv")
    parser.add_argument("--runs", type=int, default=3, help="runs of each task (default: 3)")
    parser.add_argument("--sample", type=int, default=1000, help="images of the published way (default: 1000)")
    arguments = parser.parse_args()
    if not arguments.csv.is_file():
        parser.error(f"{arguments.csv}: no such file. Fetch FER2013: make data")
    with tempfile.TemporaryDirectory(prefix="ferflow-bench-") as name:
        folder = Path(name)
        validate = measure("validate", arguments.csv, folder, arguments.runs)
        preprocess = measure("preprocess", arguments.csv, folder, arguments.runs)
        published = measure("published", arguments.csv, folder, arguments.runs, arguments.sample)
    table, kept = report(validate, preprocess, published, arguments.sample)
    print(table)  # noqa: T201
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()

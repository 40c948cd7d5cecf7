"""Measure how quickly the command line answers.

    python -m tests.bench.cli [--runs 5]

Each run is a fresh process; the figures are medians. Exit code 1 where a limit is exceeded.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

FERFLOW = Path(sys.executable).with_name("ferflow")

LIMITS = {"--help": 0.3, "compile --check": 3.0}
"""Seconds for a command; compile makes both forms of every graph."""


def seconds(arguments: str, runs: int) -> float:
    """Median of the wall-clock seconds of `ferflow ARGUMENTS`."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([FERFLOW, *arguments.split()], stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main() -> None:
    """Measure, print, and exit 1 where a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs of each command (default: 5)")
    arguments = parser.parse_args()
    measured = {command: seconds(command, arguments.runs) for command in LIMITS}
    for command, taken in measured.items():
        kept = "PASS" if taken <= LIMITS[command] else "FAIL"
        print(f"{kept}: ferflow {command}: {taken:.2f} s, limit {LIMITS[command]:.1f} s")  # noqa: T201
    sys.exit(any(taken > LIMITS[command] for command, taken in measured.items()))


if __name__ == "__main__":
    main()

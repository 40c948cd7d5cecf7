"""Measure how quickly the command line answers.

    python -m tests.bench.cli [--runs 5]

Each run is a fresh process; the figures are medians. Exit code 1 where a limit is exceeded.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from components.model_store import promotion
from components.model_store.folder import FolderStore
from tests.components.model_store.made import NAME, make, verdict

FERFLOW = Path(sys.executable).with_name("ferflow")

LIMITS = {"--help": 0.3, "compile --check": 3.0}
"""Seconds for a command; compile makes both forms of every graph."""

ROLLBACK = 2.0
"""Seconds until the champion has moved, in a store in a folder."""


def seconds(arguments: str, runs: int) -> float:
    """Median of the wall-clock seconds of `ferflow ARGUMENTS`."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([FERFLOW, *arguments.split()], stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def rollback(runs: int) -> tuple[float, float]:
    """Medians of the seconds of `ferflow models rollback`: until the champion has moved, and until MLflow shows it."""
    moved, shown = [], []
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder, "models"))
        for right in (60, 70):
            version = make(store, right).id
            promotion.by_gate(store, NAME, store.champion(NAME), version, verdict("PROMOTE"))
        where = ["--store", str(store.root), "--name", NAME, "--registry", f"sqlite:///{folder}/mlflow.db"]
        subprocess.run([FERFLOW, "models", "sync", *where], capture_output=True, check=True)
        for _ in range(runs):
            started = time.perf_counter()
            with subprocess.Popen([FERFLOW, "models", "rollback", *where], stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                assert process.stdout.readline().startswith(b"champion of")
                moved.append(time.perf_counter() - started)
                process.communicate()
            assert process.returncode == 0
            shown.append(time.perf_counter() - started)
    return statistics.median(moved), statistics.median(shown)


def main() -> None:
    """Measure, print, and exit 1 where a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs of each command (default: 5)")
    arguments = parser.parse_args()
    measured = {command: seconds(command, arguments.runs) for command in LIMITS}
    for command, taken in measured.items():
        kept = "PASS" if taken <= LIMITS[command] else "FAIL"
        print(f"{kept}: ferflow {command}: {taken:.2f} s, limit {LIMITS[command]:.1f} s")  # noqa: T201
    moved, shown = rollback(arguments.runs)
    told = f"the champion has moved after {moved:.2f} s, limit {ROLLBACK:.1f} s; MLflow shows it after {shown:.2f} s"
    print(f"{'PASS' if moved <= ROLLBACK else 'FAIL'}: ferflow models rollback: {told}")  # noqa: T201
    sys.exit(moved > ROLLBACK or any(taken > LIMITS[command] for command, taken in measured.items()))


if __name__ == "__main__":
    main()

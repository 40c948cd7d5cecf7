"""What this machine has for each way of running ferflow, and how to get what is missing."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from pipeline import data

NEEDED_MEMORY = 6e9
"""bytes: the hybrid's training with TensorFlow itself"""
NEEDED_DISK = 6e9
"""bytes: the environment, the data set, its two prepared forms and the models"""


class Finding(NamedTuple):
    """One line of the report."""

    subject: str
    is_there: bool
    found: str
    mend: str
    """what brings it where it is missing"""


def report() -> None:
    """Print all findings."""
    table = Table(title="ferflow doctor", title_justify="left", show_lines=False)
    for heading in ("", "what", "found", "how to get it"):
        table.add_column(heading)
    for finding in findings():
        mark = "[green]ok[/]" if finding.is_there else "[yellow]missing[/]"
        table.add_row(mark, finding.subject, finding.found, "" if finding.is_there else finding.mend)
    Console().print(table)


def findings() -> Iterator[Finding]:
    """Look at the machine: Python and packages, memory, disk, data, GPU, container engine."""
    python = platform.python_version()
    yield Finding(
        "Python 3.11 or 3.12", sys.version_info[:2] in ((3, 11), (3, 12)), python, "install it, then make run"
    )
    for package, module in (("tensorflow-cpu", "tensorflow"), ("kfp", "kfp"), ("dvc", "dvc"), ("mlflow", "mlflow")):
        try:
            found = version(package) if find_spec(module) else ""
        except PackageNotFoundError:
            found = "another build" if find_spec(module) else ""
        yield Finding(package, bool(found), found or "not installed", "make run")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield Finding("memory", memory >= NEEDED_MEMORY, f"{memory / 1e9:.0f} GB", "a machine with 6 GB or more")
    free = shutil.disk_usage(data.ROOT).free
    yield Finding("free disk", free >= NEEDED_DISK, f"{free / 1e9:.0f} GB", "6 GB: the environment alone has 3")
    csv, _ = data.location()
    yield Finding("FER2013", csv.is_file(), csv.name if csv.is_file() else "not here (demo works)", data.HOW_TO_GET)
    cache = Path.home() / ".keras" / "models"
    weights = sorted(path.name for path in cache.glob("*notop*.h5")) if cache.is_dir() else []
    yield Finding("ImageNet weights", bool(weights), ", ".join(weights) or "none in Keras' cache", _WEIGHTS)
    gpu = Path("/proc/driver/nvidia/version").is_file()
    yield Finding(
        "GPU", gpu, "NVIDIA driver" if gpu else "none (CPU works, slower)", "set training.backend as you like"
    )
    docker = shutil.which("docker")
    yield Finding("container engine", bool(docker), docker or "no docker command", "for the component images only")


_WEIGHTS = "set weights: imagenet in params.yaml (Keras downloads them), or the path of a folder that has them"

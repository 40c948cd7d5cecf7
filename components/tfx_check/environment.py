"""Whether this Python environment can run TFX."""

import platform
from importlib.util import find_spec

from components.fer.errors import InputError

GLIBC = "2.39"
"""What TensorFlow Data Validation 1.21's wheels need: Debian 13 and Ubuntu 24.04 have it."""


def check() -> None:
    """Raise `InputError`, with the container that has it, where TFX is not installed."""
    if find_spec("tfx") is None:
        _, version = platform.libc_ver()
        raise InputError(
            f"TFX: expected the package tfx, found none in this environment. Its wheels need glibc {GLIBC} or newer; "
            f"this system has {version or 'none'}.",
            "Its image has it: ferflow images tfx-check, then ferflow run --docker for the whole graph, or docker run, "
            "as docs/tfx.md has it, for this stage over what is here",
        )

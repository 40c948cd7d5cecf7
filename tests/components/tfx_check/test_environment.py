"""A desk without TFX says so, and where there is one."""

import importlib.util
import subprocess
import sys

import pytest

from components.fer.errors import InputError
from components.tfx_check import environment
from pipeline.images import PACKAGES


@pytest.mark.skipif(importlib.util.find_spec("tfx") is not None, reason="TFX is installed here")
def test_without_tfx_the_stage_ends_before_any_input_is_read() -> None:
    options = {"store": "models", "name": "fer", "ferplus": "", "tolerance": "0.002"}
    options |= {"floor-over-majority": "10", "class-floor": "0.1"}
    paths = (
        "tfrecord",
        "masks-npz",
        "metrics-json",
        "predictions-npz",
        "version-json",
        "blessing",
        "report-json",
        "tfx",
    )
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    words += [word for name in paths for word in (f"--{name}", f"nowhere/{name}")]
    command = [sys.executable, "-m", "components.tfx_check", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    problem, mend = done.stderr.splitlines()
    assert problem.startswith(
        "TFX: expected the package tfx, found none in this environment. Its wheels need glibc 2.39"
    )
    assert "ferflow images tfx-check" in mend
    assert "tfx-check" in PACKAGES


def test_with_tfx_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: object())
    environment.check()


def test_the_system_s_own_glibc_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.36"))
    with pytest.raises(InputError, match=r"needs? glibc 2\.39 or newer; this system has 2\.36\."):
        environment.check()

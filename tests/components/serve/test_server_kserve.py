"""KServe's own client and the server understand each other."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.components.serve.made_server import NAME, probabilities
from tests.components.serve.running import PATIENCE, running


@pytest.mark.slow
def test_kserves_client_gets_the_same_probabilities_by_every_form(tmp_path: Path) -> None:
    python = os.environ.get("KSERVE_PYTHON")
    if python is None:
        pytest.skip("KServe's client is not at hand (set KSERVE_PYTHON to a Python in whose environment kserve is)")
    faces = np.random.default_rng(1).integers(0, 256, (5, 48, 48, 1), np.uint8)
    np.save(tmp_path / "faces.npy", faces)
    script = Path(__file__).with_name("kserve_client.py")
    with running() as server:
        command = [python, str(script), f"http://127.0.0.1:{server.port}", NAME, str(tmp_path / "faces.npy")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["live"], found["ready"], found["model_ready"]) == (True, True, [True, True])
    expected = probabilities(faces)
    for form in ("json", "binary", "binary_output", "v1"):
        np.testing.assert_array_equal(np.array(found[form], np.float32), expected)
    np.testing.assert_array_equal(np.array(found["photo"], np.float32), expected[:1])
    assert f"model: expected {NAME}, received other." in found["error"]

"""A SavedModel is loaded by a process of its own, which says how its answers differ."""

from pathlib import Path

import numpy as np
import pytest

from components.fer import backend
from components.tfx_check import loading
from tests.components.evaluate.conftest import KERAS, tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings(KERAS)]


def test_a_model_that_answers_otherwise_or_not_at_all_is_told(tmp_path: Path) -> None:
    backend.select("tensorflow")
    model = tiny_model()
    model.export(tmp_path / "saved_model", verbose=False)
    images = np.random.default_rng(1).integers(0, 256, (40, 48, 48, 1), dtype=np.uint8)
    answers = np.asarray(model.predict(images, verbose=0))
    golden = tmp_path / "golden.npz"
    loading.write_golden(images, answers, golden)
    assert loading.fault(tmp_path / "saved_model", golden) == ""

    loading.write_golden(images, np.roll(answers, 1, axis=1), golden)
    with pytest.raises(SystemExit, match=r"from those of evaluate, at most 0\.03 is allowed"):
        loading.main(str(tmp_path / "saved_model"), str(golden))

    (tmp_path / "saved_model" / "saved_model.pb").unlink()
    assert "SavedModel file does not exist" in loading.fault(tmp_path / "saved_model", golden)

"""train-hybrid as a process, with S1's two architectures."""

import json
from pathlib import Path

import numpy as np
import pytest

from components.fer import models, stage
from components.fer.dataset import Faces
from components.fer.recipe import Architecture
from components.train_hybrid.__main__ import main
from components.train_hybrid.config import Config
from tests.components.fer.conftest import small_recipe
from tests.components.training_argv import argv, run, write_few


@pytest.mark.slow
def test_the_hybrid_of_efficientnet_and_mobilenet_starts_from_their_weights(made: Faces, tmp_path: Path) -> None:
    data = write_few(made, tmp_path)
    recipe = small_recipe()
    first, second = tmp_path / "first", tmp_path / "second"
    backbones: tuple[tuple[Path, Architecture], ...] = ((first, "efficientnet_b0"), (second, "mobilenet_v2"))
    for path, architecture in backbones:
        branch = models.extractor(architecture, recipe.image_size, "none", recipe.batch_norm_momentum)
        models.save(models.single(recipe, branch), path)
    given = {"first_keras": first, "second_keras": second, "branches": "FT", "weights": "trained"}
    done = run("train_hybrid", argv(data, tmp_path / "hybrid", **given))
    assert done.returncode == 0, done.stderr
    hybrid = models.load(tmp_path / "hybrid" / "model_keras")
    frozen, trained = (models.branch(models.load(path)).get_weights() for path in (first, second))
    assert all(np.array_equal(*pair) for pair in zip(hybrid.get_layer("first").get_weights(), frozen, strict=True))
    moved = zip(hybrid.get_layer("second").get_weights(), trained, strict=True)
    assert not all(np.array_equal(*pair) for pair in moved)
    assert (
        json.loads((tmp_path / "hybrid" / "metrics_json").read_text())["trainable_parameters"] < hybrid.count_params()
    )


def test_a_file_that_is_no_model(made: Faces, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_few(made, tmp_path)
    given = {"first_keras": data, "second_keras": data, "branches": "FF", "weights": "trained"}
    with pytest.raises(SystemExit) as ended:
        stage.run(main, Config, argv(data, tmp_path / "hybrid", **given))
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"model {data}: expected a Keras model (.keras), received:")
    assert not (tmp_path / "hybrid").exists()

"""The training loop: its schedule, what it keeps, that a seed decides everything."""

import csv
from pathlib import Path

import keras
import numpy as np
import pytest

from components.fer import backend, models, training
from components.fer.dataset import Prepared, Split
from components.fer.errors import InputError
from tests.components.fer.conftest import small_recipe


@pytest.fixture(autouse=True)
def repeatable() -> None:
    backend.select("tensorflow", seed=1)


def test_a_seed_decides_every_bit(few: Prepared, tiny_extractor: keras.Model) -> None:
    one, again, other = (trained(few, tiny_extractor, seed=seed, mixup=0.2)[0] for seed in (1, 1, 2))
    assert all(np.array_equal(*pair) for pair in zip(one, again, strict=True))
    assert not all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def test_the_best_epoch_on_public_is_kept(few: Prepared, tiny_extractor: keras.Model, tmp_path: Path) -> None:
    recipe = small_recipe(epochs=3, learning_rate=0.05)
    model, history = training.train(lambda: models.single(recipe, tiny_extractor), few, recipe)
    best = max(row["val_accuracy"] for row in history)
    correct = model.predict(few["public"].images, verbose=0).argmax(axis=1) == few["public"].label
    assert correct.mean() == pytest.approx(best)
    assert training.summary(model, history, 70)["public"]["accuracy"] == best
    training.write_history(history, tmp_path / "history.csv")
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert list(rows[0]) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"]
    assert 0 < float(rows[-1]["learning_rate"]) < 0.05 / 20


@pytest.mark.parametrize("branches", ["FF", "FT", "TF", "TT"])
def test_frozen_branches_stay_and_the_others_move(branches: str, few: Prepared, tiny_extractor: keras.Model) -> None:
    other = models.extractor("mobilenet_v2", 32, "none", 0.5)
    for branch, mode in zip((tiny_extractor, other), branches, strict=True):
        branch.trainable = mode == "T"
    before = [branch.get_weights() for branch in (tiny_extractor, other)]
    recipe = small_recipe(epochs=1, warmup_epochs=0.0)
    training.train(lambda: models.hybrid(recipe, tiny_extractor, other), few, recipe)
    moved = [
        any(not np.array_equal(old, new) for old, new in zip(weights, branch.get_weights(), strict=True))
        for weights, branch in zip(before, (tiny_extractor, other), strict=True)
    ]
    assert moved == [mode == "T" for mode in branches]


def trained(data: Prepared, extractor: keras.Model, **changes: object) -> tuple[list[np.ndarray], list[float]]:
    """The weights that a training from the extractor's weights ends with, and its losses."""
    recipe = small_recipe(**changes)
    backend.select("tensorflow", recipe.seed)
    start = extractor.get_weights()
    model, history = training.train(lambda: models.single(recipe, extractor), data, recipe)
    weights = model.get_weights()
    extractor.set_weights(start)
    return weights, [row["loss"] for row in history]


def test_many_steps_a_dispatch_are_the_same_steps(few: Prepared, tiny_extractor: keras.Model) -> None:
    """4 steps an epoch in dispatches of 3 and 1, the learning rate held within each."""
    same = {"schedule": "constant", "warmup_epochs": 0.0}
    one, loss = trained(few, tiny_extractor, **same)
    three, as_often = trained(few, tiny_extractor, **same, steps_per_dispatch=3)
    assert loss == pytest.approx(as_often, rel=1e-5)
    for mine, theirs in zip(one, three, strict=True):
        assert mine == pytest.approx(theirs, abs=1e-5)


def test_the_average_is_what_is_kept(few: Prepared, tiny_extractor: keras.Model) -> None:
    """By hand: after each of 4 steps, each weight moves towards the trained one."""
    plain = {"epochs": 1, "schedule": "constant", "warmup_epochs": 0.0, "batch_size": 64}
    trained_to, _ = trained(few, tiny_extractor, **plain)
    averaged, _ = trained(few, tiny_extractor, **plain, ema=0.5)
    backend.select("tensorflow", seed=1)
    begun = models.single(small_recipe(**plain), tiny_extractor).get_weights()
    for start, end, mean in zip(begun, trained_to, averaged, strict=True):
        assert mean == pytest.approx(0.1 * start + 0.9 * end, abs=1e-5)


@pytest.mark.parametrize(
    ("stages", "problem"),
    [
        *(
            (stages, f"expected numbers of epochs that add up to 2, received {stages}")
            for stages in ("1,2", "0,2", "-1,3")
        ),
        ("1,1", "expected a place for checkpoints"),
    ],
)
def test_stages_that_cannot_be(stages: str, problem: str, few: Prepared, tiny_extractor: keras.Model) -> None:
    recipe = small_recipe(stages=stages)
    with pytest.raises(InputError, match=problem):
        training.train(lambda: models.single(recipe, tiny_extractor), few, recipe)


@pytest.mark.parametrize("steps_per_dispatch", [1, 3])
def test_a_training_that_diverges_ends_with_its_step_and_rate(
    steps_per_dispatch: int, few: Prepared, tiny_extractor: keras.Model
) -> None:
    recipe = small_recipe(optimizer="sgd", learning_rate=1e30, warmup_epochs=0.0, steps_per_dispatch=steps_per_dispatch)
    with pytest.raises(
        InputError, match=r"loss at step \d of 8: .*received (nan|inf).* diverged, at a learning rate of"
    ):
        training.train(lambda: models.single(recipe, tiny_extractor), few, recipe)


@pytest.mark.parametrize("empty", ["training", "public"])
def test_a_split_without_images(empty: str, few: Prepared, tiny_extractor: keras.Model) -> None:
    none = Split(*(array[:0] for array in few[empty].columns().values()))
    recipe = small_recipe()
    with pytest.raises(InputError, match=f"expected images in its split {empty}, found none"):
        training.train(lambda: models.single(recipe, tiny_extractor), {**few, empty: none}, recipe)


def test_a_batch_that_devices_cannot_share(few: Prepared, tiny_extractor: keras.Model) -> None:
    recipe = small_recipe(devices=3)
    with pytest.raises(InputError, match="batch of 16: expected a multiple of 3"):
        training.train(lambda: models.single(recipe, tiny_extractor), few, recipe)


def test_what_comes_out_takes_images_as_what_was_built_does(few: Prepared, tiny_extractor: keras.Model) -> None:
    """And knows neither optimiser nor loss, which are of this code alone."""
    recipe = small_recipe(epochs=1)
    built = models.single(recipe, tiny_extractor)
    model, _ = training.train(lambda: built, few, recipe)
    assert model.input.shape == built.input.shape
    assert model.output.shape == built.output.shape
    assert not model.compiled

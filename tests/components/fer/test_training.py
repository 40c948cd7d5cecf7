"""The training loop: its schedule, what it keeps, that a seed decides everything."""

import csv
from pathlib import Path

import keras
import numpy as np
import pytest

from components.fer import backend, models, training
from components.fer.dataset import Prepared
from tests.components.fer.conftest import small_recipe


@pytest.fixture(autouse=True)
def repeatable() -> None:
    backend.select("tensorflow", seed=1)


def rates(**changes: object) -> list[float]:
    """The learning rate at each of 20 steps (2 epochs of 10)."""
    schedule = training.optimizer(small_recipe(**changes), steps_an_epoch=10)._learning_rate
    return [float(schedule(step)) for step in range(21)]


def test_warm_up_is_linear_and_the_cosine_ends_at_zero() -> None:
    rate = rates(warmup_epochs=0.5)
    assert rate[:6] == pytest.approx([0.003 * step / 5 for step in range(6)], abs=1e-8)
    half_way = 5 + 15 / 2
    assert rate[12] > 0.0015 > rate[13], half_way
    assert rate[20] == pytest.approx(0, abs=1e-8)


def test_a_constant_schedule_stays() -> None:
    assert rates(schedule="constant", warmup_epochs=0.0) == pytest.approx([0.003] * 21)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("adam", keras.optimizers.Adam), ("adamw", keras.optimizers.AdamW), ("sgd", keras.optimizers.SGD)],
)
def test_update_rules(name: str, rule: type[keras.optimizers.Optimizer]) -> None:
    made = training.optimizer(small_recipe(optimizer=name), steps_an_epoch=10)
    assert type(made) is rule
    assert made.weight_decay == 0.01
    if name == "sgd":
        assert (made.momentum, made.nesterov) == (0.9, True)


def test_biases_and_normalisation_do_not_decay(tiny_extractor: keras.Model) -> None:
    model = models.single(small_recipe(), tiny_extractor)
    rule = training.optimizer(small_recipe(), steps_an_epoch=10)
    rule.build(model.trainable_variables)
    decaying = {variable.name for variable in model.trainable_variables if rule._use_weight_decay(variable)}
    assert decaying == {"kernel"}


def test_a_seed_decides_every_bit(few: Prepared, tiny_extractor: keras.Model) -> None:
    weights = []
    start = tiny_extractor.get_weights()
    for seed in (1, 1, 2):
        backend.select("tensorflow", seed)
        tiny_extractor.set_weights(start)
        model = models.single(small_recipe(seed=seed), tiny_extractor)
        training.train(model, few, small_recipe(seed=seed))
        weights.append(np.concatenate([weight.ravel() for weight in model.get_weights()]))
    assert np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


def test_the_best_epoch_on_public_is_kept(few: Prepared, tiny_extractor: keras.Model, tmp_path: Path) -> None:
    model = models.single(small_recipe(), tiny_extractor)
    history = training.train(model, few, small_recipe(epochs=3, learning_rate=0.05))
    best = max(row["val_accuracy"] for row in history)
    correct = model.predict(few["public"].images, verbose=0).argmax(axis=1) == few["public"].label
    assert correct.mean() == pytest.approx(best)
    assert training.summary(model, history, 70)["public"]["accuracy"] == best
    training.write_history(history, tmp_path / "history.csv")
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert list(rows[0]) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"]
    assert float(rows[-1]["learning_rate"]) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("branches", ["FF", "FT", "TF", "TT"])
def test_frozen_branches_stay_and_the_others_move(branches: str, few: Prepared, tiny_extractor: keras.Model) -> None:
    other = models.extractor("mobilenet_v2", 32, "none", 0.5)
    for branch, mode in zip((tiny_extractor, other), branches, strict=True):
        branch.trainable = mode == "T"
    before = [branch.get_weights() for branch in (tiny_extractor, other)]
    hybrid = models.hybrid(small_recipe(), tiny_extractor, other)
    training.train(hybrid, few, small_recipe(epochs=1, warmup_epochs=0.0))
    moved = [
        any(not np.array_equal(old, new) for old, new in zip(weights, branch.get_weights(), strict=True))
        for weights, branch in zip(before, (tiny_extractor, other), strict=True)
    ]
    assert moved == [mode == "T" for mode in branches]

"""The update rule, and its learning rate as a function of how far a training is."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import KerasTensor

from components.fer.muon import ConvolutionMuon
from components.fer.recipe import Recipe

MIN_DELTA = 1e-4
"""By how much an accuracy must rise to count as better, as a share: that of Keras' ReduceLROnPlateau."""


def optimizer(recipe: Recipe, depths: Sequence[int]) -> keras.optimizers.Optimizer:
    """The update rule; its learning rate is set before each step, to what `learning_rate` says.

    `depths` tells for each of the trainable variables, in their order, how far it lies below the classifier. Where
    `recipe.layer_decay` is below 1, a variable's rate is smaller by that factor for each step of depth (Howard and
    Ruder, "Universal Language Model Fine-tuning for Text Classification", ACL 2018, section 3.2).
    """
    rate, decay = recipe.learning_rate, recipe.weight_decay or None
    match recipe.optimizer:
        case "adam":
            rule = keras.optimizers.Adam(rate, weight_decay=decay)
        case "adamw":
            rule = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)  # it wants a number
        case "muon":
            rule = ConvolutionMuon(rate, recipe.weight_decay)
        case "sgd":
            rule = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=decay)
    if decay:
        rule.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    if recipe.layer_decay < 1:
        _slow_down(rule, [recipe.layer_decay**steps for steps in depths])
    return rule


def _slow_down(rule: keras.optimizers.Optimizer, factors: Sequence[float]) -> None:
    """Let `rule` update each variable at its own share of the learning rate."""
    update = rule.update_step

    def update_step(gradient: KerasTensor, variable: Any, rate: KerasTensor) -> None:
        # TensorFlow hands its own variables on, which have no path: the rule's index is what tells them apart.
        update(gradient, variable, rate * factors[rule._get_variable_index(variable)])

    rule.update_step = update_step


def learning_rate(recipe: Recipe, step: int, steps: int, accuracies: Sequence[float]) -> float:
    """The learning rate of the step number `step` (from 0), with `steps` steps an epoch.

    `accuracies` are those on PublicTest of the epochs that are done, by which the schedule plateau decides. The rate is
    a function of nothing else, so a training that goes on from a checkpoint needs no state of a schedule.
    """
    warmup = min(recipe.warmup_epochs * steps, recipe.epochs * steps - 1)
    if step < warmup:
        return recipe.learning_rate * min(1.0, (step + 1) / warmup)
    done = (step - warmup) / (recipe.epochs * steps - warmup)
    match recipe.schedule:
        case "constant":
            share = 1.0
        case "cosine":
            share = (1 + math.cos(math.pi * done)) / 2
        case "triangular":
            share = 1 - done
        case "steps":
            share = recipe.schedule_factor ** (step // steps // recipe.schedule_epochs)
        case "plateau":
            share = recipe.schedule_factor ** plateaus(accuracies, recipe.schedule_epochs)
    return recipe.learning_rate * share


def plateaus(accuracies: Sequence[float], patience: int) -> int:
    """How many times `patience` epochs in a row brought no better accuracy, counted as by Keras' ReduceLROnPlateau."""
    found, waited, best = 0, 0, -math.inf
    for accuracy in accuracies:
        waited = 0 if accuracy > best + MIN_DELTA else waited + 1
        best = accuracy if waited == 0 else best
        if waited == patience:
            found, waited = found + 1, 0
    return found

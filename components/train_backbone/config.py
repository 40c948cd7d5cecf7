"""Configuration of train-backbone."""

from pathlib import Path
from typing import Annotated

from components.fer import stage
from components.fer.recipe import Architecture, Recipe


class Config(Recipe):
    """Train one backbone on the prepared data set."""

    data: Annotated[Path, stage.Input("Dataset")]
    """prepared data set: a pickle or a folder of TFRecords"""
    architecture: Architecture
    """feature extractor"""
    weights: str
    """initial weights of the extractor: imagenet (downloaded by Keras), none (random), or a folder of Keras' files"""
    model_keras: Annotated[Path, stage.Output("Model")]
    """trained model to write"""
    history_csv: Annotated[Path, stage.Output("Artifact")]
    """loss and accuracy per epoch to write"""
    metrics_json: Annotated[Path, stage.Output("Metrics")]
    """PublicTest metrics and cost of the training to write"""

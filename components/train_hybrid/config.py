"""Configuration of train-hybrid."""

from pathlib import Path
from typing import Annotated, Literal

from components.fer import stage
from components.fer.recipe import Recipe, files_below


class Config(Recipe):
    """Train the hybrid of two backbones with their trained weights loaded."""

    data: Annotated[Path, stage.Input("Dataset")]
    """prepared data set: a pickle or a folder of TFRecords"""
    first_keras: Annotated[Path, stage.Input("Model")]
    """trained model of the first backbone"""
    second_keras: Annotated[Path, stage.Input("Model")]
    """trained model of the second backbone"""
    branches: Literal["FF", "FT", "TF", "TT"]
    """which extractor trains: F frozen, T trained; first backbone first"""
    weights: str
    """weights of the extractors: trained (those of the two models), imagenet, none, or a folder of Keras' files"""
    model_keras: Annotated[Path, stage.Output("Model")]
    """trained hybrid to write"""
    history_csv: Annotated[Path, stage.Output("Artifact")]
    """loss and accuracy per epoch to write"""
    metrics_json: Annotated[Path, stage.Output("Metrics")]
    """PublicTest metrics and cost of the training to write"""

    def files(self) -> list[Path]:
        """The files that parameters name, those of a folder of weights among them."""
        return [*super().files(), *files_below(self.weights)]

"""Configuration of train-backbone."""

from pathlib import Path
from typing import Annotated

from components.fer import stage
from components.fer.recipe import Architecture, Recipe, files_below


class Config(Recipe):
    """Train one backbone on the prepared data set."""

    data: Annotated[Path, stage.Input("Dataset")]
    """prepared data set: a pickle or a folder of TFRecords"""
    architecture: Architecture
    """feature extractor"""
    weights: str
    """initial weights of the extractor: imagenet (downloaded by Keras), none (random), or a folder of Keras' files"""
    freeze: str
    """what of the extractor does not train: none, all, or the layers up to the one of this name (S4: block3_pool)"""
    start_keras: Annotated[Path | None, stage.Input("Model")] = None
    """trained model of the same architecture and head whose weights take the place of the initial ones"""
    teacher_keras: Annotated[Path | None, stage.Input("Model")] = None
    """trained model that teaches this one, with those that teachers names"""
    model_keras: Annotated[Path, stage.Output("Model")]
    """trained model to write"""
    history_csv: Annotated[Path, stage.Output("Artifact")]
    """loss and accuracy per epoch to write"""
    metrics_json: Annotated[Path, stage.Output("Metrics")]
    """PublicTest metrics and cost of the training to write"""

    def teacher_paths(self) -> list[Path]:
        """The files of the teachers."""
        return [*super().teacher_paths(), *([self.teacher_keras] if self.teacher_keras else [])]

    def files(self) -> list[Path]:
        """The files that parameters name, those of a folder of weights among them."""
        return [*super().files(), *files_below(self.weights)]

"""Configuration of evaluate."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from components.fer import stage


class Config(stage.StageConfig):
    """Measure a model on PublicTest and, once, on PrivateTest in its three forms."""

    data: Annotated[Path, stage.Input("Dataset")]
    """prepared data set: a pickle or a folder of TFRecords"""
    masks_npz: Annotated[Path, stage.Input("Dataset")]
    """masks of the audit"""
    audit_json: Annotated[Path, stage.Input("Metrics")]
    """counts of the audit, for the report"""
    model_keras: Annotated[Path, stage.Input("Model")]
    """model to measure"""
    history_csv: Annotated[Path, stage.Input("Artifact")]
    """history of the model's training, for the report"""
    first_history_csv: Annotated[Path | None, stage.Input("Artifact")] = None
    """history of a hybrid's first backbone, for the report"""
    second_history_csv: Annotated[Path | None, stage.Input("Artifact")] = None
    """history of a hybrid's second backbone, for the report"""
    first_keras: Annotated[Path | None, stage.Input("Model")] = None
    """a hybrid's first backbone, to be compared with it"""
    second_keras: Annotated[Path | None, stage.Input("Model")] = None
    """a hybrid's second backbone, to be compared with it"""
    resamples: Annotated[int, Field(ge=100)]
    """bootstrap resamples behind each 95 % interval"""
    seed: Annotated[int, Field(ge=0)]
    """seed of the bootstrap"""
    ferplus: str
    """FER+ votes (fer2013new.csv), joined by row order; '' for none"""
    views: Literal["none", "flip", "ten_crop"]
    """mean answer over views of an image, measured beside the answer to the image itself: with its mirror image, or
    with both shifted by a few pixels"""
    pictures: Literal["standard", "all"]
    """all: t-SNE of the features, feature maps of the first convolution, and the worst mistakes too"""
    poses: str
    """folder of images to answer, one for each pose of a face: front.png, right.png ...; '' for none"""
    metrics_json: Annotated[Path, stage.Output("Metrics")]
    """all metrics to write"""
    predictions_npz: Annotated[Path, stage.Output("Dataset")]
    """probabilities per image to write"""
    confusion_csv: Annotated[Path, stage.Output("Artifact")]
    """actual and predicted expression of each PublicTest image to write: DVC draws the confusion matrix"""
    calibration_csv: Annotated[Path, stage.Output("Artifact")]
    """confidence and accuracy in 15 bins on PublicTest to write"""
    figures: Annotated[Path, stage.Output("Artifact")]
    """pictures to write: a folder of PNG and SVG"""
    report_html: Annotated[Path, stage.Output("HTML")]
    """report to write: one file that opens offline"""

"""Configuration of preprocess."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.fer import stage


def _odd(side: int) -> int:
    """Refuse a window without a middle."""
    if side and side % 2 == 0:
        raise ValueError("expected an odd number of pixels, or 0")
    return side


class Config(stage.StageConfig):
    """Write the data set as a pickle and as TFRecords, with the wished images chosen, aligned and filtered."""

    faces_npz: Annotated[Path, stage.Input("Dataset")]
    """data set as validate wrote it"""
    masks_npz: Annotated[Path, stage.Input("Dataset")]
    """masks of the audit"""
    drop_copies: stage.Flag
    """keep one of each group of identical Training images"""
    drop_conflicts: stage.Flag
    """drop Training images that have an identical Training image with another label"""
    drop_constant: stage.Flag
    """drop Training images whose pixels are all equal"""
    sample: Annotated[int, Field(ge=0)]
    """images to draw from each split, in the proportions of its expressions: the size of a trial; 0 for all"""
    seed: Annotated[int, Field(ge=0)]
    """seed of the sample"""
    align: Literal["none", "dlib"]
    """find the face by dlib's frontal detector and crop to it; an image without a detection stays as it is"""
    landmarks: str
    """dlib's shape predictor with 5 or 68 points (.dat), by which align also turns the eyes level; '' to crop alone"""
    median_filter: Annotated[int, Field(ge=0, le=15), AfterValidator(_odd)]
    """side of the window in pixels of a median filter on every image (S4: 3); 0 for none"""
    shards: Annotated[int, Field(gt=0, le=1000)]
    """TFRecord files a split"""
    prepared_pickle: Annotated[Path, stage.Output("Dataset")]
    """prepared data set as one pickle to write"""
    prepared_tfrecord: Annotated[Path, stage.Output("Dataset")]
    """prepared data set as TFRecords to write: a folder of Split-train, Split-public, Split-private"""
    report_json: Annotated[Path, stage.Output("Metrics")]
    """counts of images kept, dropped and aligned to write"""

"""Configuration of preprocess."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from components.fer import stage


class Config(stage.StageConfig):
    """Write the data set as a pickle and as TFRecords, with the wished images dropped from Training."""

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
    shards: Annotated[int, Field(gt=0, le=1000)]
    """TFRecord files a split"""
    prepared_pickle: Annotated[Path, stage.Output("Dataset")]
    """prepared data set as one pickle to write"""
    prepared_tfrecord: Annotated[Path, stage.Output("Dataset")]
    """prepared data set as TFRecords to write: a folder of Split-train, Split-public, Split-private"""
    report_json: Annotated[Path, stage.Output("Metrics")]
    """counts of images kept and dropped to write"""

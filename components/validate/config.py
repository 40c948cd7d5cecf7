"""Configuration of validate."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from components.fer import stage


class Config(stage.StageConfig):
    """Check the data set and audit it for copies, near copies, conflicting labels and constant images."""

    path: str
    """data set: fer2013.csv, icml_face_data.csv, a folder SPLIT/EXPRESSION/*.png, or a DVC remote (gs://, s3://)"""
    md5: str
    """md5 that the csv must have, and by which it is found in a DVC remote; '' accepts any, but not from a remote"""
    near_correlation: Annotated[float, Field(gt=0, le=1)]
    """correlation with a Training image from which a test image counts as a near copy"""
    faces_npz: Annotated[Path, stage.Output("Dataset")]
    """data set as arrays to write"""
    masks_npz: Annotated[Path, stage.Output("Dataset")]
    """what the audit found for each image, to write"""
    audit_json: Annotated[Path, stage.Output("Metrics")]
    """counts of the audit to write"""
    data_docs: Annotated[Path, stage.Output("HTML")]
    """Great Expectations' Data Docs to write: a folder, open its index.html"""

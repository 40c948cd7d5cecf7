"""Configuration of validate."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from components.fer import stage


class Config(stage.StageConfig):
    """Check the data set and audit it for copies, near copies, conflicting labels and constant images."""

    path: str
    """data set: fer2013.csv, icml_face_data.csv, a folder SPLIT/EXPRESSION/*.png, a DVC remote (gs://, s3://), or the
    folder of RAF-DB, CK+ or AffectNet as their authors give it out, or ckextended.csv"""
    md5: str
    """md5 that the csv must have, and by which it is found in a DVC remote; '' accepts any, but not from a remote"""
    ferplus: str
    """FER+ votes (fer2013new.csv) whose majorities take the place of FER2013's labels, by row order; '' for none"""
    expressions: Annotated[int, Field(ge=7, le=8)]
    """7, those of FER2013, or 8, with contempt where the data set has it (AffectNet, CK+, FER+)"""
    near_correlation: Annotated[float, Field(gt=0, le=1)]
    """correlation with a Training image from which a test image counts as a near copy"""
    split: Literal["official", "random"]
    """which images fit, decide and judge: as the data set's authors say, or by split_seed"""
    test_share: Annotated[float, Field(gt=0, lt=1)]
    """share of the images held out by a random split, half as PublicTest and half as PrivateTest (S4: 0.3)"""
    split_seed: Annotated[int, Field(ge=0)]
    """seed of a random split, and of the PublicTest that RAF-DB, CK+ and AffectNet have not"""
    faces_npz: Annotated[Path, stage.Output("Dataset")]
    """data set as arrays to write"""
    masks_npz: Annotated[Path, stage.Output("Dataset")]
    """what the audit found for each image, to write"""
    audit_json: Annotated[Path, stage.Output("Metrics")]
    """counts of the audit to write"""
    data_docs: Annotated[Path, stage.Output("HTML")]
    """Great Expectations' Data Docs to write: a folder, open its index.html"""

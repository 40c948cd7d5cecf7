"""Configuration of resolve."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from components.fer import stage


class Config(stage.StageConfig):
    """Find which data there is now, and whether anything changed since the models in the store were made."""

    data_dvc: str
    """address of the data.dvc that names the data: a path, https://, gs:// or s3://"""
    always: stage.Flag
    """say that something changed even where nothing did"""
    store: str
    """model store: a folder or gs://BUCKET/PREFIX"""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    """name of the model in store and registry"""
    provenance: str
    """commit, images, parameters and run of the submission as JSON"""
    md5: Annotated[Path, stage.Output("String")]
    """md5 of the data to write"""
    changed: Annotated[Path, stage.Output("String")]
    """true or false to write"""
    report_json: Annotated[Path, stage.Output("Metrics")]
    """what differs from the champion to write"""

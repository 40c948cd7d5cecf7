"""Configuration of push-model."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from components.fer import stage


class Config(stage.StageConfig):
    """Store a model as an immutable version and promote it when it is better than the champion."""

    data: Annotated[Path, stage.Input("Dataset")]
    """prepared data set: the champion is scored again on its PublicTest images"""
    model_keras: Annotated[Path, stage.Input("Model")]
    """candidate"""
    metrics_json: Annotated[Path, stage.Input("Metrics")]
    """the candidate's metrics"""
    predictions_npz: Annotated[Path, stage.Input("Dataset")]
    """the candidate's probabilities per image"""
    audit_json: Annotated[Path, stage.Input("Metrics")]
    """counts of the audit: the data's md5 goes into the version's lineage"""
    store: str
    """model store: a folder or gs://BUCKET/PREFIX"""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    """name of the model in store and registry"""
    registry: str
    """MLflow tracking address, e.g. sqlite:///mlflow.db"""
    alpha: Annotated[float, Field(gt=0, lt=1)]
    """significance level of McNemar's exact test against the champion"""
    provenance: str
    """commit, images, parameters and run of the submission as JSON, for the version's lineage; '' at a desk"""
    version_json: Annotated[Path, stage.Output("Metrics")]
    """version, verdict and reasons to write"""

"""Configuration of push-model."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated

from pydantic import Field

from components.fer import stage
from components.model_store.records import Rule, Rules


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
    """MLflow's tracking address or kubeflow+https://HOST:PORT, or several, separated by commas"""
    rule: Rule
    """what a candidate has to show against the champion: that it is better (McNemar's exact test), or that it is worse
    by less than a margin (Tango's score test)"""
    alpha: Annotated[float, Field(gt=0, lt=1)]
    """level of significance of each test, one-sided"""
    minimum_effect: Annotated[float, Field(ge=0, lt=100)]
    """superiority: least gain in accuracy, in points"""
    margin: Annotated[float, Field(gt=0, lt=100)]
    """non-inferiority: loss in accuracy, in points, that has to be ruled out"""
    floor_over_majority: Annotated[float, Field(ge=0, lt=100)]
    """least distance from the accuracy of the majority class, in points"""
    class_floor: Annotated[float, Field(ge=0, le=1)]
    """least recall of each expression, 0..1"""
    calibration_limit: Annotated[float, Field(ge=0, le=1)]
    """greatest expected calibration error after temperature scaling, 0..1"""
    provenance: str
    """commit, images, parameters and run as JSON, for the version's lineage; '' where they are not known"""
    version_json: Annotated[Path, stage.Output("Metrics")]
    """version, verdict and reasons to write"""
    verdict_json: Annotated[Path, stage.Output("Metrics")]
    """the gate's verdict with all checks, counts, rules and digests to write"""
    blessing: Annotated[Path, stage.Output("Artifact")]
    """the verdict to write as TFX's Evaluator does: a folder with an empty file BLESSED or NOT_BLESSED"""

    def rules(self) -> Rules:
        """What the gate asks of the candidate."""
        return Rules(**{field.name: getattr(self, field.name) for field in fields(Rules)})

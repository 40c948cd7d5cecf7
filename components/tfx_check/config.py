"""Configuration of tfx-check."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from components.fer import stage


class Config(stage.StageConfig):
    """Let TFX validate the prepared data, evaluate the stored model by slices, and push it where it is blessed."""

    tfrecord: Annotated[Path, stage.Input("Dataset")]
    """prepared data set as TFRecords: of its splits, Split-train and Split-public are read"""
    masks_npz: Annotated[Path, stage.Input("Dataset")]
    """masks of the audit"""
    metrics_json: Annotated[Path, stage.Input("Metrics")]
    """the model's metrics"""
    predictions_npz: Annotated[Path, stage.Input("Dataset")]
    """the model's probabilities per image, as evaluate found them"""
    version_json: Annotated[Path, stage.Input("Metrics")]
    """the stored version, whose SavedModel is evaluated"""
    blessing: Annotated[Path, stage.Input("Artifact")]
    """the gate's verdict as TFX's blessing, which Pusher obeys"""
    store: str
    """model store: a folder or gs://BUCKET/PREFIX"""
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    """name of the model in store and registry"""
    ferplus: str
    """FER+ votes (fer2013new.csv), joined by row order, for slices by certainty; '' for none"""
    floor_over_majority: Annotated[float, Field(ge=0, lt=100)]
    """least distance from the accuracy of the majority class, in points: a threshold of TFMA's validation"""
    class_floor: Annotated[float, Field(ge=0, le=1)]
    """least recall of each expression, 0..1: a threshold of TFMA's validation"""
    tolerance: Annotated[float, Field(ge=0, lt=1)]
    """share of a slice's images, 0..1, by which the right answers that TFMA counts on PublicTest may differ from those
    of evaluate; one image is always allowed, for another machine's arithmetic tips single ones"""
    report_json: Annotated[Path, stage.Output("Metrics")]
    """figures by slice, TFMA's beside evaluate's, and what each component of TFX found to write"""
    tfx: Annotated[Path, stage.Output("Artifact")]
    """what TFX wrote: statistics, schema, anomalies, evaluation, and the pushed model where it was blessed"""

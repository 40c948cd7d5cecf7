"""What TFX found, read from what its components wrote."""

from pathlib import Path

import tensorflow_model_analysis as tfma
from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.tfx_check.dag import READ
from components.tfx_check.slices import OVERALL, Count, Slice, named

METRIC = "sparse_categorical_accuracy"
"""Keras' name of what `dag` asks for"""


def anomalies(folder: Path) -> list[str]:
    """Each anomaly that ExampleValidator reports, as `split, feature: what is wrong`."""
    found = []
    for split in READ:
        told = anomalies_pb2.Anomalies.FromString((folder / f"Split-{split}" / "SchemaDiff.pb").read_bytes())
        found += [f"{split}, {name}: {info.description}" for name, info in sorted(told.anomaly_info.items())]
        if told.HasField("dataset_anomaly_info"):
            found.append(f"{split}: {told.dataset_anomaly_info.description}")
    return found


def counts(folder: Path) -> dict[Slice, Count]:
    """Images and right answers in each slice, from an Evaluator's output."""
    found: dict[Slice, Count] = {}
    for key, outputs in tfma.load_eval_result(str(folder)).slicing_metrics:
        ((feature, value),) = key or (OVERALL,)
        ((figures,),) = (by_class.values() for by_class in outputs.values())
        images = round(figures["example_count"]["doubleValue"])
        text = value.decode() if isinstance(value, bytes) else str(value)
        found[feature, text] = Count(images, round(figures[METRIC]["doubleValue"] * images))
    return found


def failed_thresholds(folder: Path) -> list[str]:
    """Slices that miss a floor, by TFMA's validation, with their figure: `expression disgust 0.0500`."""
    result = tfma.load_validation_result(str(folder))
    found = []
    for entry in result.metric_validations_per_slice:
        keys = [(key.column, key.bytes_value.decode()) for key in entry.slice_key.single_slice_keys]
        name = named(keys[0] if keys else OVERALL)
        found += [f"{name} {failure.metric_value.double_value.value:.4f}" for failure in entry.failures]
    return found


def load_fault(folder: Path) -> str:
    """Why LoadCheck has not blessed the model; nothing where it has."""
    (told,) = folder.glob("INFRA_*BLESSED")
    return told.read_text()


def pushed(serving: Path) -> str | None:
    """The version under which Pusher has pushed the model, its time in seconds; None where it has not."""
    return next((path.name for path in sorted(serving.iterdir())), None) if serving.is_dir() else None

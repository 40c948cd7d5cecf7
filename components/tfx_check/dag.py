"""The components of TFX over what the run has made, one after the other in this process.

prepared --> StatisticsGen --> SchemaGen --> ExampleValidator           Training and PublicTest
sliced   --> Evaluator                                                  the stored model on PublicTest
stored   --> Evaluator.stored                                           evaluate's answers to PrivateTest, no model
model    --> LoadCheck --> Pusher <-- blessing                          the gate's, not Evaluator's
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tfx import v1 as tfx
from tfx.types import standard_artifacts

from components.tfx_check import loading
from components.tfx_check.examples import LABEL, PREDICTION, PUBLIC, STORED
from components.tfx_check.places import Places
from components.tfx_check.slices import Columns

READ = ("train", PUBLIC)
"""Splits that StatisticsGen and ExampleValidator read: PrivateTest is opened by evaluate alone."""

STORED_EVALUATOR = "Evaluator.stored"

# Beam's DirectRunner would first try Prism, a program that it downloads.
BEAM = ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"]


class Floors(NamedTuple):
    """Thresholds of TFMA's validation, 0..1."""

    accuracy: float
    """of all PublicTest images"""
    recall: float
    """of each expression"""


@tfx.dsl.components.component  # type: ignore[untyped-decorator]
def LoadCheck(  # noqa: N802 - TFX names components so
    model: tfx.dsl.components.InputArtifact[standard_artifacts.Model],
    saved_model: tfx.dsl.components.Parameter[str],
    golden: tfx.dsl.components.Parameter[str],
    blessing: tfx.dsl.components.OutputArtifact[standard_artifacts.InfraBlessing],
) -> None:
    """Bless a model that a new process loads, and that answers golden images there as evaluate saw it."""
    del model  # in the lineage; TFX gives its address without the folder of the format
    fault = loading.fault(Path(saved_model), Path(golden))
    blessing.set_int_custom_property("blessed", int(not fault))
    folder = Path(blessing.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ("INFRA_NOT_BLESSED" if fault else "INFRA_BLESSED")).write_text(fault)


def run(
    prepared: Path, blessing: Path, blessed: bool, public: Columns, stored: Columns, floors: Floors, places: Places
) -> None:
    """Run the components over TFRecords, models and the gate's blessing; Evaluator.stored only where it has answers."""
    data = _examples(prepared, READ).with_id("Prepared")
    statistics = tfx.components.StatisticsGen(examples=data.outputs["result"])
    schema = tfx.components.SchemaGen(statistics=statistics.outputs["statistics"], exclude_splits=[PUBLIC])
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    sliced = _examples(places.sliced, (PUBLIC, STORED) if stored else (PUBLIC,)).with_id("Sliced")
    over_examples = _artifact(places.over_examples, standard_artifacts.Model).with_id("OverExamples")
    evaluator = tfx.components.Evaluator(
        examples=sliced.outputs["result"],
        model=over_examples.outputs["result"],
        example_splits=[PUBLIC],
        eval_config=_config(public, floors),
    )
    on_stored = tfx.components.Evaluator(
        examples=sliced.outputs["result"], example_splits=[STORED], eval_config=_config(stored, None)
    ).with_id(STORED_EVALUATOR)
    model = _artifact(places.model, standard_artifacts.Model).with_id("Model")
    check = LoadCheck(
        model=model.outputs["result"],
        saved_model=str(places.model / "Format-Serving"),
        golden=str(places.golden),
    )
    verdict = _artifact(blessing, standard_artifacts.ModelBlessing, blessed=int(blessed)).with_id("Blessing")
    pusher = tfx.components.Pusher(
        model=model.outputs["result"],
        model_blessing=verdict.outputs["result"],
        infra_blessing=check.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(places.serving))
        ),
    )
    components = [data, statistics, schema, validator, sliced, over_examples, evaluator, model, check, verdict, pusher]
    if stored:
        components.append(on_stored)
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="ferflow",
            pipeline_root=str(places.root),
            components=components,
            metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
                str(places.work / "metadata.db")
            ),
            beam_pipeline_args=BEAM,
            enable_cache=False,
        )
    )


def _examples(folder: Path, splits: tuple[str, ...]) -> Any:
    return tfx.dsl.Importer(
        source_uri=str(folder),
        artifact_type=standard_artifacts.Examples,
        properties={"split_names": json.dumps(splits)},
        custom_properties={"payload_format": "FORMAT_TF_EXAMPLE"},
    )


def _artifact(folder: Path, kind: type[Any], **custom: int) -> Any:
    return tfx.dsl.Importer(source_uri=str(folder), artifact_type=kind, custom_properties=custom)


def _config(sliced: Columns, floors: Floors | None) -> tfma.EvalConfig:
    """Accuracy and images, in all and by each feature that slices; with floors, TFMA's validation holds it to them."""
    accuracy: dict[str, Any] = {"class_name": "SparseCategoricalAccuracy"}
    if floors:
        # TFMA holds every slice to a plain `threshold`; one that is for all images together names the empty slice.
        accuracy["per_slice_thresholds"] = [
            {"slicing_specs": [{}], "threshold": _at_least(floors.accuracy)},
            {"slicing_specs": [{"feature_keys": ["expression"]}], "threshold": _at_least(floors.recall)},
        ]
    config = {
        "model_specs": [{"label_key": LABEL, "prediction_key": PREDICTION}],
        "slicing_specs": [{}, *({"feature_keys": [name]} for name in sliced)],
        "metrics_specs": [{"metrics": [{"class_name": "ExampleCount"}, accuracy]}],
    }
    return json_format.ParseDict(config, tfma.EvalConfig())


def _at_least(share: float) -> dict[str, Any]:
    return {"value_threshold": {"lower_bound": share}}

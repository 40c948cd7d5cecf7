"""The stage: bring everything into TFX's forms, run its components, hold their figures to evaluate's, keep the rest."""

import json
import logging
import shutil
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from components.fer import backend, stage
from components.fer.errors import InputError
from components.model_store.store import open_store
from components.tfx_check import agreement, inputs, slices
from components.tfx_check.config import Config
from components.tfx_check.inputs import Given
from components.tfx_check.places import Places
from components.tfx_check.slices import Columns

log = logging.getLogger("ferflow")


class Sliced(NamedTuple):
    """The slices of the images, for each of two kinds of Examples."""

    public: Columns
    """PublicTest, which the stored model answers"""
    private: Columns
    """the stored answers to PrivateTest; empty where there is none"""


def run(config: Config) -> None:
    """Run TFX over the run's artifacts and write its findings.

    Raises `InputError` where the data has anomalies, the SavedModel does not answer as it did, or a figure is not
    evaluate's. PrivateTest's images are not read: its figures are those of the answers that evaluate stored.
    """
    started = time.monotonic()
    given = inputs.read(config)
    with tempfile.TemporaryDirectory(prefix="ferflow-tfx-") as work:
        places = Places(Path(work))
        with backend.quiet_import():  # TensorFlow and TFX load here
            from components.tfx_check import dag

        _tell_little()
        sliced = lay_out(config, given, places)
        floors = dag.Floors(
            accuracy=given.metrics["majority_baseline"]["public"] + config.floor_over_majority / 100,
            recall=config.class_floor,
        )
        log.info("TFX %s over version %s", version("tfx"), given.version)
        logging.getLogger("absl").setLevel(logging.INFO)  # TensorFlow has set it back
        dag.run(config.tfrecord, config.blessing, given.blessed, *sliced, floors, places)
        found = held(config, given, sliced, places)
        report = {
            "name": config.name,
            "version": given.version,
            "tfx": version("tfx"),
            **found,
            "tolerance": config.tolerance,
            "floors": floors._asdict(),
            "blessed": given.blessed,
            "seconds": round(time.monotonic() - started, 1),
        }
        with stage.outputs(config) as out:
            out.report_json.write_text(json.dumps(report, indent=2) + "\n")
            keep(places, out.tfx)
    log.info("no anomaly; TFMA and evaluate agree in %d slices", len(found["public"]) + len(found["private"]))
    log.info("TFMA's validation: %s", ", ".join(f"missed by {one}" for one in found["missed"]) or "passed")
    log.info("%s", f"pushed as {found['pushed']}" if given.blessed else "not pushed: the gate has not blessed it")


def lay_out(config: Config, given: Given, places: Places) -> Sliced:
    """Write what TFX's components read: Examples with slices, the stored model, and golden images."""
    from components.tfx_check import examples, loading, saved_models

    public, images = examples.write_public(config.tfrecord, places.sliced, given.public, given.masks, given.certainty)
    loading.write_golden(images, given.public.probabilities, places.golden)
    private: Columns = {}
    if len(given.private.row):
        private = examples.write_stored(places.sliced, given.private, given.masks, given.certainty)
    with open_store(config.store).fetched(config.name, given.version) as folder:  # whole, or it is refused
        saved_models.lay_out(folder / "saved_model", places.model)
    saved_models.wrap(places.model / saved_models.SERVING, places.over_examples)
    return Sliced(public, private)


def held(config: Config, given: Given, sliced: Sliced, places: Places) -> dict[str, Any]:
    """What TFX found, for the report. Raises `InputError` where that is a fault."""
    from components.tfx_check import dag, findings

    if wrong := findings.anomalies(places.output("ExampleValidator", "anomalies")):
        raise InputError(
            "\n  ".join([f"TFRecords {config.tfrecord}: ExampleValidator finds anomalies:", *wrong]),
            "Look at the data, or at how it was prepared: dvc repro preprocess",
        )
    if fault := findings.load_fault(places.output("LoadCheck", "blessing")):
        raise InputError(
            f"SavedModel of {given.version}: loaded in a new process, {fault}.",
            f"Say which file is not as it was stored: ferflow models verify {given.version}",
        )
    public, private = (
        slices.counts(answers.right, of)
        for answers, of in ((given.public, sliced.public), (given.private, sliced.private))
    )
    agreement.check_metrics(given.metrics, public, private, str(config.metrics_json))
    evaluation = places.output("Evaluator", "evaluation")
    by_tfma = findings.counts(evaluation)
    stored = findings.counts(places.output(dag.STORED_EVALUATOR, "evaluation")) if sliced.private else {}
    agreement.check("PublicTest", public, by_tfma, config.tolerance)
    agreement.check("PrivateTest, by the stored answers", private, stored, None)
    return {
        "public": agreement.table(public, by_tfma),
        "private": agreement.table(private, stored),
        "missed": findings.failed_thresholds(evaluation),
        "pushed": findings.pushed(places.serving),
    }


def keep(places: Places, folder: Path) -> None:
    """Copy what TFX wrote and a reader may want, each under a name of its own."""
    for component, name in (
        *(("StatisticsGen", "statistics"), ("SchemaGen", "schema"), ("ExampleValidator", "anomalies")),
        *(("Evaluator", "evaluation"), ("Evaluator.stored", "evaluation")),
    ):
        if (places.root / component).is_dir():
            own = f"{name}_stored" if component.endswith("stored") else name
            shutil.copytree(places.output(component, name), folder / own)
    if places.serving.is_dir():
        shutil.copytree(places.serving, folder / "pushed")


def _tell_little() -> None:
    """Of the hundreds of lines that TFX and Beam log, show errors and the start of each component."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(
            lambda record: (
                record.name == log.name or record.levelno >= logging.ERROR or record.msg == "Component %s is running."
            )
        )

"""From a model and a prepared data set to metrics, predictions, figures and a report."""

import csv
import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluate import ferplus, history, pictures, report
from components.evaluate.config import Config
from components.evaluate.measure import FORMS, Sample, Settings, measure_all
from components.fer import backend, prepared, stage
from components.fer.dataset import EXPRESSIONS, SPLITS, Masks, Predictions, Prepared
from components.fer.errors import InputError
from components.fer.metrics import calibration, scores

log = logging.getLogger("ferflow")

PUBLIC, PRIVATE = SPLITS.index("public"), SPLITS.index("private")


def run(config: Config) -> None:
    """Measure the model and write everything that says how good it is.

    All that can be wrong with the inputs is found, and the temperature fitted, before PrivateTest is opened.
    """
    data = prepared.read(config.data)
    if not len(data["training"]) or not len(data["public"]):
        raise InputError(
            f"prepared data set {config.data}: expected Training and PublicTest images, found none.",
            "Give a data set whose Usage column has both.",
        )
    masks = _read_masks(config.masks_npz, data)
    audit = _read_audit(config.audit_json)
    histories = {name: history.read(path) for name, path in history_paths(config).items()}
    votes = _read_votes(config.ferplus, masks, data)
    backend.select("tensorflow")
    # Keras' backend must be chosen before anything imports Keras.
    from components.fer import models, predict

    model = models.load(config.model_keras)
    public = predict.predictions(model, data, PUBLIC, config.model_keras)
    settings = Settings(
        temperature=calibration.fit_temperature(public.probabilities, public.label),
        majority=scores.majority_class(data["training"].label),
        resamples=config.resamples,
        seed=config.seed,
    )
    private = predict.predictions(model, data, PRIVATE, config.model_keras)  # the only time it is opened
    samples = {"public": _sample(public, masks, votes), **private_forms(private, masks, votes)}
    metrics = measure_all(samples["public"], {name: samples[name] for name in FORMS}, settings)
    drawn = pictures.draw(samples, settings.temperature, histories)
    with stage.outputs(config) as out:
        out.metrics_json.write_text(json.dumps(metrics, indent=2, allow_nan=False) + "\n")
        _joined(public, private).save(out.predictions_npz)
        _write_csv(out.confusion_csv, ("actual", "predicted"), confusion_rows(public))
        _write_csv(out.calibration_csv, ("confidence", "accuracy", "count"), calibration_rows(public))
        pictures.write(drawn, out.figures)
        out.report_html.write_text(report.render(metrics, audit, drawn), encoding="utf-8")
    _say(metrics)


def history_paths(config: Config) -> dict[str, Path]:
    """Where the histories are, by the name of their training; a model that is no hybrid has no backbones' histories."""
    paths = {"model": config.history_csv, "first": config.first_history_csv, "second": config.second_history_csv}
    return {name: path for name, path in paths.items() if path is not None}


def private_forms(private: Predictions, masks: Masks, votes: NDArray[np.int64] | None) -> dict[str, Sample]:
    """PrivateTest in its three forms; one may be empty on data other than FER2013."""
    whole = _sample(private, masks, votes)
    return {
        "full": whole,
        "clean_exact": whole.only(masks.clean_exact[private.row]),
        "clean_near": whole.only(masks.clean_near[private.row]),
    }


def confusion_rows(predictions: Predictions) -> Iterable[tuple[str, str]]:
    """Actual and predicted expression of each image, by name."""
    answer = scores.predicted(predictions.probabilities)
    return ((EXPRESSIONS[one], EXPRESSIONS[other]) for one, other in zip(predictions.label, answer, strict=True))


def calibration_rows(predictions: Predictions) -> Iterable[tuple[float, float, int]]:
    """Confidence, accuracy and images of each bin that has any."""
    table = calibration.reliability(predictions.probabilities, predictions.label)
    rows = zip(table.confidence, table.accuracy, table.count, strict=True)
    return ((round(float(one), 6), round(float(other), 6), int(count)) for one, other, count in rows if count)


def _sample(predictions: Predictions, masks: Masks, votes: NDArray[np.int64] | None) -> Sample:
    row = predictions.row
    return Sample(
        predictions.probabilities, predictions.label, masks.copy_group[row], None if votes is None else votes[row]
    )


def _joined(public: Predictions, private: Predictions) -> Predictions:
    more = private.columns()
    return Predictions(**{name: np.concatenate([array, more[name]]) for name, array in public.columns().items()})


def _read_masks(path: Path, data: Prepared) -> Masks:
    masks = Masks.load(path)
    last = max(int(split.row.max(initial=-1)) for split in data.values())
    if last >= len(masks):
        raise InputError(
            f"masks {path}: expected an entry for each image up to row {last:,}, found {len(masks):,}.",
            "Both must come from one data set: dvc repro",
        )
    return masks


def _read_audit(path: Path) -> Mapping[str, Any]:
    try:
        audit = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"audit {path}: expected JSON, received: {error}.", "Write it again: dvc repro validate"
        ) from error
    if not isinstance(audit, dict):
        raise InputError(f"audit {path}: expected a JSON object, received {type(audit).__name__}.")
    return audit


def _read_votes(path: str, masks: Masks, data: Prepared) -> NDArray[np.int64] | None:
    if not path:
        return None
    row = np.concatenate([data[name].row for name in SPLITS])
    usage = np.repeat(np.arange(len(SPLITS)), [len(data[name]) for name in SPLITS])
    return ferplus.read_majority(Path(path), len(masks), row, usage)


def _write_csv(path: Path, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def _say(metrics: Mapping[str, Any]) -> None:
    named = {"PublicTest": metrics["public"], **{f"PrivateTest {name}": metrics["private"][name] for name in FORMS}}
    baseline = [metrics["majority_baseline"]["public"], *metrics["majority_baseline"]["private"].values()]
    for (name, values), majority in zip(named.items(), baseline, strict=True):
        if not values["n"]:
            log.info("%-24s no images", name)
            continue
        low, value, high = (100 * values[f"accuracy{bound}"] for bound in ("_low", "", "_high"))
        log.info(
            "%-24s accuracy %.2f %% (95 %%: %.2f to %.2f), macro F1 %.3f, n %d; majority class %.2f %%",
            *(name, value, low, high, values["macro_f1"], values["n"], 100 * majority),
        )

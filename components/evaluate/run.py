"""From a model and a prepared data set to metrics, predictions, figures and a report."""

import csv
import json
import logging
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluate import claim, history, inputs, pictures, poses, report, views
from components.evaluate.config import Config
from components.evaluate.history import History
from components.evaluate.measure import FORMS, Sample, Settings, measure_all, measure_branch, measure_views, rounded
from components.evaluate.pictures import Picture
from components.fer import backend, stage
from components.fer.dataset import EIGHT, SPLITS, Masks, Predictions
from components.fer.metrics import calibration, scores

log = logging.getLogger("ferflow")

PUBLIC, PRIVATE = SPLITS.index("public"), SPLITS.index("private")
PLACED = 1500
"""most PublicTest images in the t-SNE: more are slow to place and hide each other"""


def run(config: Config) -> None:
    """Measure the model and write everything that says how good it is.

    All that can be wrong with the inputs is found, and all is decided, before PrivateTest is opened.
    """
    data = inputs.read_data(config.data)
    masks = inputs.read_masks(config.masks_npz, data)
    audit = inputs.read_audit(config.audit_json)
    votes = inputs.read_votes(config.ferplus, masks, data)
    faces = poses.read(Path(config.poses)) if config.poses else {}
    histories = {name: history.read(path) for name, path in history_paths(config).items()}
    backend.select("tensorflow")
    # Keras' backend must be chosen before anything imports Keras.
    from components.fer import models, predict

    model = models.load(config.model_keras)
    ask = partial(predict.probabilities, model, path=config.model_keras)
    public = predict.predictions(model, data, PUBLIC, config.model_keras)
    settings = Settings(
        temperature=calibration.fit_temperature(public.probabilities, public.label),
        majority=scores.majority_class(data["training"].label),
        resamples=config.resamples,
        seed=config.seed,
    )
    measured = _sample(public, masks, votes)
    backbones = {
        name: predict.predictions(models.load(path), data, PUBLIC, path).probabilities
        for name, path in backbone_paths(config).items()
    }
    check_claims(config, histories, {"model": public.probabilities, **backbones}, public.label)
    beside = {
        "parameters": model.count_params(),
        "model_megabytes": config.model_keras.stat().st_size / 2**20,
        "branches": {name: measure_branch(measured, alone, settings) for name, alone in backbones.items()},
        "poses": poses.table({name: ask(face[None])[0] for name, face in faces.items()}),
    }
    closer = _inside(model, data["public"].images, measured, config.seed) if config.pictures == "all" else {}

    private = predict.predictions(model, data, PRIVATE, config.model_keras)  # the only time it is opened
    accuracy = float(np.mean(scores.predicted(public.probabilities) == public.label))
    claim.check_private(accuracy, private.probabilities, private.label, config.model_keras)
    forms = private_forms(private, masks, votes)
    metrics = measure_all(measured, forms, settings) | rounded(beside) | {"views": {}}
    if config.views != "none":
        look = partial(views.over, kind=config.views, ask=ask)
        seen = look(public, data["public"].images), look(private, data["private"].images)
        seen_forms = private_forms(seen[1], masks, None)
        metrics["views"] = measure_views(config.views, _sample(seen[0], masks, None), seen_forms, settings)
    drawn = pictures.draw({"public": measured, **forms}, settings.temperature, histories) | closer
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


def backbone_paths(config: Config) -> dict[str, Path]:
    """Where a hybrid's backbones are, by name; a model that is no hybrid has none."""
    paths = {"first": config.first_keras, "second": config.second_keras}
    return {name: path for name, path in paths.items() if path is not None}


def check_claims(
    config: Config, histories: Mapping[str, History], answers: Mapping[str, scores.Probabilities], label: scores.Labels
) -> None:
    """Hold each model's answers (N, E) to what its training says of them. Raises `InputError`."""
    models, paths = {"model": config.model_keras, **backbone_paths(config)}, history_paths(config)
    for name, said in answers.items():
        if told := histories.get(name):
            claimed = told["val_accuracy"][history.kept_epoch(told)]
            claim.check(claimed, said, label, models[name], paths[name])


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
    return ((EIGHT[one], EIGHT[other]) for one, other in zip(predictions.label, answer, strict=True))


def calibration_rows(predictions: Predictions) -> Iterable[tuple[float, float, int]]:
    """Confidence, accuracy and images of each bin that has any."""
    table = calibration.reliability(predictions.probabilities, predictions.label)
    rows = zip(table.confidence, table.accuracy, table.count, strict=True)
    return ((round(float(one), 6), round(float(other), 6), int(count)) for one, other, count in rows if count)


def _inside(model: Any, images: NDArray[np.uint8], public: Sample, seed: int) -> dict[str, Picture]:
    """Pictures of what `model` computes of the images (N, 48, 48, 1) of PublicTest."""
    from components.evaluate import inside

    shown = np.sort(np.random.default_rng(seed).permutation(len(images))[:PLACED])
    placed = inside.embedding(inside.features(model, images[shown]), seed)
    return pictures.draw_inside(public, images, shown, placed, inside.first_maps(model, images[0]))


def _sample(predictions: Predictions, masks: Masks, votes: NDArray[np.int64] | None) -> Sample:
    row = predictions.row
    return Sample(
        predictions.probabilities, predictions.label, masks.copy_group[row], None if votes is None else votes[row]
    )


def _joined(public: Predictions, private: Predictions) -> Predictions:
    more = private.columns()
    return Predictions(**{name: np.concatenate([array, more[name]]) for name, array in public.columns().items()})


def _write_csv(path: Path, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def _say(metrics: Mapping[str, Any]) -> None:
    named = {"PublicTest": metrics["public"], **{f"PrivateTest {name}": metrics["private"][name] for name in FORMS}}
    if seen := metrics["views"]:
        named[f"PublicTest, {seen['kind']}"] = seen["public"]
        named |= {f"PrivateTest {name}, {seen['kind']}": seen["private"][name] for name in FORMS}
    for name, values in named.items():
        if not values["n"]:
            log.info("%-34s no images", name)
            continue
        low, value, high = (100 * values[f"accuracy{bound}"] for bound in ("_low", "", "_high"))
        log.info(
            "%-34s accuracy %.2f %% (95 %%: %.2f to %.2f), macro F1 %.3f, n %d",
            *(name, value, low, high, values["macro_f1"], values["n"]),
        )
    for name, alone in metrics["branches"].items():
        log.info(
            "%-34s accuracy %.2f %%; gained %d, lost %d, p better %.4f",
            *(f"PublicTest, {name} backbone", 100 * alone["accuracy"]),
            *(alone["gained"], alone["lost"], alone["p_better"]),
        )
    baseline = metrics["majority_baseline"]
    log.info("%-34s accuracy %.2f %%", f"PublicTest, always {baseline['expression']}", 100 * baseline["public"])

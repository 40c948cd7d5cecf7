"""From a prepared data set and two trained backbones to the trained hybrid."""

import logging
from pathlib import Path

from components.fer import backend, prepared, stage
from components.fer.dataset import expressions_of
from components.train_hybrid.config import Config

log = logging.getLogger("ferflow")


def run(config: Config) -> None:
    """Load the backbones' extractors, freeze or train each, and write model, history and metrics."""
    # Keras' backend must be chosen before anything imports Keras, as TensorFlow does, with which TFRecords are read.
    backend.select(config.backend, config.seed, config.devices)
    import keras

    from components.fer import checkpoint, models, predict, training
    from components.train_hybrid import head

    data = prepared.read(config.data)
    keras.config.set_dtype_policy(config.precision)
    kept = checkpoint.checkpoints(config, data)

    def branch(path: Path, mode: str) -> keras.Model:
        size, momentum = config.image_size, config.batch_norm_momentum
        if config.weights == "trained":
            found = models.trained_extractor(path, size, momentum)
        else:
            architecture = models.architecture(models.branch(models.load(path)))
            found = models.extractor(architecture, size, config.weights, momentum)
        models.freeze(found, "none" if mode == "T" else "all")
        return found

    def build() -> keras.Model:
        paths = (config.first_keras, config.second_keras)
        first, second = map(branch, paths, config.branches)
        hybrid = models.hybrid(config, first, second, expressions_of(data))
        if config.weights == "trained":
            trained = [models.load(path) for path in paths]
            for model, path in zip(trained, paths, strict=True):
                predict.check_fits(model, path, data)
            begun = head.begin_as_mean(hybrid, *trained)
            log.info("the classifier begins %s", "as the mean of the branches' own" if begun else "at random")
        return hybrid

    model, history = training.train(build, data, config, kept)
    with stage.outputs(config) as out:
        models.save(model, out.model_keras)
        training.write_history(history, out.history_csv)
        training.write_summary(training.summary(model, history, len(data["training"])), out.metrics_json)
    if kept:
        kept.clear()

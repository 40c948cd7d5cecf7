"""From a prepared data set and two trained backbones to the trained hybrid."""

from components.fer import backend, prepared, stage
from components.train_hybrid.config import Config


def run(config: Config) -> None:
    """Load the backbones' extractors, freeze or train each, and write model, history and metrics."""
    # Keras' backend must be chosen before anything imports Keras, as TensorFlow does, with which TFRecords are read.
    backend.select(config.backend, config.seed)
    import keras

    from components.fer import checkpoint, models, training

    data = prepared.read(config.data)
    keras.config.set_dtype_policy(config.precision)
    branches = [models.branch(models.load(path)) for path in (config.first_keras, config.second_keras)]
    if config.weights != "trained":
        branches = [
            models.extractor(models.architecture(branch), config.image_size, config.weights, config.batch_norm_momentum)
            for branch in branches
        ]
    for branch, mode in zip(branches, config.branches, strict=True):
        branch.trainable = mode == "T"
    model = models.hybrid(config, *branches)
    kept = checkpoint.checkpoints(config, data)
    history = training.train(model, data, config, kept)
    with stage.outputs(config) as out:
        models.save(model, out.model_keras)
        training.write_history(history, out.history_csv)
        training.write_summary(training.summary(model, history, len(data["training"])), out.metrics_json)
    if kept:
        kept.clear()

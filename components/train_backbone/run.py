"""From a prepared data set to one trained backbone."""

from components.fer import backend, prepared, stage
from components.fer.dataset import expressions_of
from components.train_backbone.config import Config


def run(config: Config) -> None:
    """Train the backbone and write model, history and metrics."""
    # Keras' backend must be chosen before anything imports Keras, as TensorFlow does, with which TFRecords are read.
    backend.select(config.backend, config.seed, config.devices)
    import keras

    from components.fer import checkpoint, models, training

    data = prepared.read(config.data)
    keras.config.set_dtype_policy(config.precision)
    kept = checkpoint.checkpoints(config, data)

    def build() -> keras.Model:
        size, momentum = config.image_size, config.batch_norm_momentum
        extractor = models.extractor(config.architecture, size, config.weights, momentum)
        models.freeze(extractor, config.freeze)
        model = models.single(config, extractor, expressions_of(data))
        if config.start_keras:
            models.start_from(model, config.start_keras)
        return model

    model, history = training.train(build, data, config, kept)
    with stage.outputs(config) as out:
        models.save(model, out.model_keras)
        training.write_history(history, out.history_csv)
        training.write_summary(training.summary(model, history, len(data["training"])), out.metrics_json)
    if kept:
        kept.clear()

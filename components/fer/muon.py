"""Muon for convolutions: each step has the same length in all directions in which a kernel can move."""

from typing import Any

import keras
from keras import KerasTensor, ops

MOMENTUM = 0.9
ITERATIONS = 3
"""of Newton and Schulz; a coarse orthogonalisation does as well as a fine one, and costs less"""

ADAM_SHARE = 0.3
"""Learning rate of all other variables, as a share of that of the kernels."""


@keras.saving.register_keras_serializable("ferflow")
class ConvolutionMuon(keras.optimizers.Muon):
    """Keras' Muon, which orthogonalises the updates of matrices, made to do so for kernels of dense convolutions.

    A kernel (H, W, in, out) is the matrix (H W in, out), as in the CIFAR-10 speed runs. All else has AdamW: the
    classifier, depthwise kernels, normalisation. Source: Jordan et al., "Muon: An optimizer for hidden layers in neural
    networks", 2024; the length of a step is that of Liu et al., "Muon is scalable for LLM training", 2025.
    """

    def __init__(self, learning_rate: float, weight_decay: float, **kwargs: Any) -> None:
        own = {"momentum": MOMENTUM, "ns_steps": ITERATIONS, "adam_lr_ratio": ADAM_SHARE}
        super().__init__(
            learning_rate, weight_decay=weight_decay, **{"adam_weight_decay": weight_decay, **own, **kwargs}
        )

    def _should_use_adamw(self, variable: Any) -> bool:
        return len(variable.shape) != 4 or variable.shape[-1] == 1

    def zeropower_via_newtonschulz5(self, x: KerasTensor, steps: int) -> KerasTensor:
        """Orthogonalise the update `x` of a kernel, and give it the length that suits its shape."""
        matrix = ops.reshape(x, (-1, x.shape[-1]))
        return ops.reshape(super().lr_adjust(super().zeropower_via_newtonschulz5(matrix, steps)), x.shape)

    def lr_adjust(self, x: KerasTensor) -> KerasTensor:
        """Leave `x` as it is: its length was given to the matrix."""
        return x

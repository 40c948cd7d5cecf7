"""The parameters that every training has, whatever it trains."""

from typing import Annotated, Literal

from pydantic import Field

from components.fer import stage

Architecture = Literal["efficientnet_b0", "mobilenet_v2", "vgg_small", "resnet_small"]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class Recipe(stage.StageConfig):
    """How a network is trained."""

    image_size: Annotated[int, Field(ge=32, le=512)]
    """height and width in pixels to which images are resized on the device"""
    dense_1: Annotated[int, Field(gt=0)]
    """units of the first dense layer of the classifier"""
    dense_2: Annotated[int, Field(gt=0)]
    """units of the second dense layer of the classifier"""
    dropout: Fraction
    """share of units dropped behind each dense layer"""
    epochs: Annotated[int, Field(gt=0)]
    """passes over the training split"""
    batch_size: Annotated[int, Field(gt=0)]
    """images a step"""
    optimizer: Literal["adam", "adamw", "sgd"]
    """update rule; sgd is with Nesterov momentum 0.9"""
    learning_rate: Annotated[float, Field(gt=0)]
    """highest learning rate of the schedule"""
    weight_decay: Annotated[float, Field(ge=0)]
    """decoupled weight decay, not applied to biases and normalisation"""
    schedule: Literal["constant", "cosine"]
    """learning rate after the warm-up: constant, or down to 0 by a half cosine"""
    warmup_epochs: Annotated[float, Field(ge=0)]
    """epochs over which the learning rate rises linearly from 0"""
    label_smoothing: Fraction
    """share of the label spread evenly over all expressions"""
    batch_norm_momentum: Fraction
    """share of the old value in the running averages of batch normalisation, for the whole network"""
    flip: stage.Flag
    """mirror half of the images"""
    rotation: Annotated[float, Field(ge=0, le=180)]
    """greatest rotation in degrees, either way"""
    shift: Fraction
    """greatest shift as a share of the side, each way and direction"""
    zoom: Fraction
    """greatest change of scale, in and out"""
    brightness: Fraction
    """greatest change of brightness as a share of the grey range"""
    contrast: Fraction
    """greatest change of contrast as a share"""
    seed: Annotated[int, Field(ge=0)]
    """seed of initial weights, data order, dropout and augmentation"""
    backend: Literal["tensorflow", "jax"]
    """Keras backend: tensorflow, or jax for GPUs"""
    precision: Literal["float32", "mixed_bfloat16"]
    """arithmetic of the layers; weights stay float32"""
    checkpoints: str
    """where to keep checkpoints while training: a folder or gs://BUCKET/PREFIX; '' for none"""

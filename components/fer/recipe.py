"""The parameters that every training has, whatever it trains."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from components.fer import stage

Architecture = Literal[
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "vgg16",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnet50v2",
    "resnet101v2",
    "resnet152v2",
    "densenet121",
    "densenet169",
    "densenet201",
    "mobilenet",
    "mobilenet_v2",
    "nasnet_mobile",
    "inception_v3",
    "xception",
    "vgg_small",
    "resnet_small",
    "resnet_wide",
]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class Recipe(stage.StageConfig):
    """How a network is trained."""

    image_size: Annotated[int, Field(ge=32, le=512)]
    """height and width in pixels to which images are resized on the device"""
    head: Literal["plain", "normalised"]
    """classifier: plain, or normalised (S4's: batch normalisation before the pooling and behind each dense layer)"""
    dense_1: Annotated[int, Field(ge=0)]
    """units of the first dense layer of the classifier; 0 for no such layer"""
    dense_2: Annotated[int, Field(ge=0)]
    """units of the second dense layer of the classifier; 0 for no such layer"""
    dropout: Fraction
    """share of units dropped behind each dense layer, or of features where there is none"""
    epochs: Annotated[int, Field(gt=0)]
    """passes over the training split"""
    stages: str
    """epochs of the stages of a multistage training (S5: 45,30,25), each resumed from a checkpoint; '' for one go"""
    batch_size: Annotated[int, Field(gt=0)]
    """images a step"""
    optimizer: Literal["adam", "adamw", "sgd", "muon"]
    """update rule; sgd is with Nesterov momentum 0.9, muon is for kernels of convolutions, with AdamW for the rest"""
    learning_rate: Annotated[float, Field(gt=0)]
    """highest learning rate of the schedule"""
    layer_decay: Annotated[float, Field(gt=0, le=1)]
    """factor on the learning rate for each step of depth from the classifier down into an extractor; 1 for none"""
    weight_decay: Annotated[float, Field(ge=0)]
    """decoupled weight decay, not applied to biases and normalisation"""
    schedule: Literal["constant", "cosine", "triangular", "steps", "plateau"]
    """learning rate after the warm-up: constant; down to 0 by a half cosine or a line; or times schedule_factor, every
    schedule_epochs (steps) or after as many without a better PublicTest accuracy (plateau)"""
    schedule_factor: Annotated[float, Field(gt=0, le=1)]
    """factor on the learning rate for the schedules steps and plateau"""
    schedule_epochs: Annotated[int, Field(gt=0)]
    """epochs for the schedules steps and plateau"""
    warmup_epochs: Annotated[float, Field(ge=0)]
    """epochs over which the learning rate rises linearly from 0"""
    label_smoothing: Fraction
    """share of the label spread evenly over all expressions"""
    soft_labels: str
    """FER+ votes (fer2013new.csv) to learn from instead of the labels of Training; '' for the labels"""
    teachers: str
    """trained models (.keras, separated by commas) whose mean answer is half of what is learned; '' for none"""
    temperature: Annotated[float, Field(gt=0)]
    """temperature of the teachers' answers and of the student's beside them"""
    ema: Fraction
    """share of the old value in the moving average of the weights that is evaluated and kept; 0 for the weights"""
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
    gamma: Fraction
    """greatest change of the exponent that grey values are raised to"""
    erasing: Fraction
    """share of images in which a rectangle is replaced by noise"""
    mixup: Annotated[float, Field(ge=0)]
    """parameter of the beta distribution by which pairs of images are mixed; 0 for none"""
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    """seed of initial weights, data order, dropout and augmentation"""
    backend: Literal["tensorflow", "jax"]
    """Keras backend: tensorflow, or jax for GPUs"""
    precision: Literal["float32", "mixed_bfloat16"]
    """arithmetic of the layers; weights stay float32"""
    devices: Annotated[int, Field(gt=0)]
    """GPUs of the node that share each batch (backend jax where more than 1)"""
    steps_per_dispatch: Annotated[int, Field(gt=0)]
    """steps that the device does before it is heard again: 1 on a CPU, many on a GPU"""
    checkpoints: str
    """where to keep checkpoints while training: a folder or gs://BUCKET/PREFIX; '' for none"""

    def teacher_paths(self) -> list[Path]:
        """The files of the teachers."""
        return [Path(name.strip()) for name in self.teachers.split(",") if name.strip()]

    def files(self) -> list[Path]:
        """The files that parameters name: like the data, they decide what a training gives."""
        return [*self.teacher_paths(), *([Path(self.soft_labels)] if self.soft_labels else [])]


def files_below(place: str) -> list[Path]:
    """The files of a folder; none where `place` is something else, as weights: imagenet."""
    folder = Path(place)
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []

"""How much of Training seven units on a frozen network's features can learn: is S2's "frozen" step frozen?

    python -m tests.proof.frozen WEIGHTS [--csv data/fer2013.csv] [--size 200]

S2's step 1 says that it trains 8,967 parameters, seven units on 1,280 features of a frozen EfficientNetB0, to 94.61 %
of Training. Here the features are those of MobileNetV2, as many, from ImageNet (WEIGHTS is a folder with Keras' file),
of all images at S2's size, without augmentation; the units are fitted by scikit-learn's logistic regression, ever less
regularised and at last not at all, each fit beginning where the one before ended. The last is as near to learning
Training by heart as such units come.
"""

import argparse
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from components.evaluate import inside
from components.fer import models
from components.fer.recipe import Architecture, Recipe
from components.validate import reader

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = ROOT / "recipes" / "s2_efficientnet_two_step" / "params.yaml"
ARCHITECTURE: Architecture = "mobilenet_v2"
STRENGTHS = (0.001, 0.01, 0.1, 1.0, np.inf)
"""scikit-learn's C; infinite is no regularisation"""
ITERATIONS = 2000
TRAINING, PUBLIC = 0, 1


class Fit(NamedTuple):
    """What one classifier has right, as shares."""

    strength: float
    training: float
    public: float
    converged: bool


def features(images: NDArray[np.uint8], weights: Path, size: int) -> NDArray[np.float32]:
    """Features (N, 1280) of images (N, 48, 48, 1) of the frozen network, behind S2's resizing and pooling."""
    values = yaml.safe_load(PARAMETERS.read_text())["training"]
    recipe = Recipe.model_construct(**{**values, "image_size": size})
    branch = models.extractor(ARCHITECTURE, size, str(weights), recipe.batch_norm_momentum)
    return inside.features(models.single(recipe, branch), images)


def fits(
    found: NDArray[np.float32], label: NDArray[np.uint8], usage: NDArray[np.uint8], iterations: int = ITERATIONS
) -> Iterator[Fit]:
    """Fit seven units on the features (N, F) of Training, from much regularisation to none."""
    training = usage == TRAINING
    scaled = StandardScaler().fit(found[training]).transform(found)
    rule = LogisticRegression(max_iter=iterations, warm_start=True)
    for strength in STRENGTHS:
        rule.set_params(C=strength)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # said in the table
            rule.fit(scaled[training], label[training])
        right = rule.predict(scaled) == label
        yield Fit(strength, right[training].mean(), right[usage == PUBLIC].mean(), rule.n_iter_.max() < iterations)


def say(line: str) -> None:
    """Print at once, also into a file."""
    print(line, flush=True)  # noqa: T201


def main() -> None:
    """Print what each fit has right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="folder with Keras' file of MobileNetV2's ImageNet weights")
    parser.add_argument("--csv", default=os.environ.get("FER2013", str(ROOT / "data" / "fer2013.csv")))
    parser.add_argument("--size", type=int, default=200, help="pixels, S2's own by default")
    arguments = parser.parse_args()
    faces = reader.read(arguments.csv, "").faces
    say(f"{ARCHITECTURE} at {arguments.size} pixels, {np.count_nonzero(faces.usage == TRAINING):,} images of Training")
    found = features(faces.images, arguments.weights, arguments.size)
    say(f"{found.shape[1]:,} features, {found.shape[1] * 7 + 7:,} parameters")
    say(f"{'C':>8}{'Training %':>12}{'PublicTest %':>14}")
    for fit in fits(found, faces.label, faces.usage):
        rest = "" if fit.converged else f"  stopped after {ITERATIONS:,} iterations"
        say(f"{fit.strength:>8g}{100 * fit.training:>12.2f}{100 * fit.public:>14.2f}{rest}")


if __name__ == "__main__":
    main()

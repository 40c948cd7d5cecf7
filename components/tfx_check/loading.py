"""Load a SavedModel in a process that has seen nothing of its training, and let it answer golden images.

`python -m components.tfx_check.loading SAVED_MODEL GOLDEN` exits with 0 where it answers as `golden` says, else with 1
and a line that says how it differs. TFX's own InfraValidator starts a model server's container, which no stage can do
that is in a container itself.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.03
"""greatest difference in a probability: what bfloat16 rounds, 0.017 (docs/tfx.md), stays below, and so does what a GPU
that evaluated in TensorFloat-32 has rounded; another order of the expressions, or a broken export, does not"""

GOLDEN = 33
"""images that are asked: an odd batch, and the first alone"""


def write_golden(images: NDArray[np.uint8], probabilities: NDArray[np.float32], path: Path) -> None:
    """Keep images (N, 48, 48, 1) and the answers (N, E) that evaluation saw."""
    with path.open("wb") as file:
        np.savez(file, images=images[:GOLDEN], probabilities=probabilities[:GOLDEN])


def fault(saved_model: Path, golden: Path) -> str:
    """What is wrong with a SavedModel as a new process finds it; nothing where it answers as it should."""
    command = [sys.executable, "-m", "components.tfx_check.loading", str(saved_model), str(golden)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stderr.strip().splitlines() or ["it ended without a word"])[-1].rstrip(".") if done.returncode else ""


def difference(saved_model: Path, golden: Path) -> float:
    """Greatest difference between the answers of a SavedModel, in a batch and to one image, and golden ones."""
    import tensorflow as tf

    with np.load(golden) as arrays:
        images, expected = arrays["images"], arrays["probabilities"]
    model = tf.saved_model.load(str(saved_model))  # held, or its weights are gone before it answers
    answers = np.concatenate([model.serve(images).numpy(), model.serve(images[:1]).numpy()])
    return float(np.abs(answers - np.concatenate([expected, expected[:1]])).max())


def main(saved_model: str, golden: str) -> None:
    """Exit with a message where the SavedModel does not answer as it should."""
    found = difference(Path(saved_model), Path(golden))
    if not found <= TOLERANCE:
        sys.exit(f"its probabilities differ by {found:.2g} from those of evaluate, at most {TOLERANCE:g} is allowed")


if __name__ == "__main__":
    main(*sys.argv[1:])

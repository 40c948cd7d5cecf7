"""The process that answers for the check before promotion, with loaders that take pixels of any dtype."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.push_model import answering
from components.push_model.answering import Answer


def lenient(load: Callable[[Path], Answer]) -> Callable[[Path], Answer]:
    """A loader whose models turn what they are given to uint8."""

    def loaded(place: Path) -> Answer:
        answer = load(place)

        def answered(images: NDArray[Any]) -> NDArray[np.float32]:
            return answer(images.astype(np.uint8))

        return answered

    return loaded


if __name__ == "__main__":
    answering.KINDS = {kind: lenient(load) for kind, load in answering.KINDS.items()}
    answering.main(*sys.argv[1:])

"""FER2013 with the labels of FER+ (Barsoum et al., ICMI 2016) in the place of its own: what most of ten people say."""

from collections import Counter
from pathlib import Path

import numpy as np

from components.fer import ferplus
from components.fer.dataset import Faces
from components.validate.source import Source

LEFT_OUT = {"NF": "not a face", str(ferplus.NONE): "no majority"}
"""What is said of votes that name no expression, where FER+ says it in other words."""


def relabelled(source: Source, path: Path, expressions: int) -> Source:
    """The images of `source` of which more than half of the votes at `path` name one of the `expressions` (7 or 8).

    That is the paper's majority voting. The others are left out, and counted by what the votes say.
    Raises `InputError` where the file is not FER+ votes for this very data set.
    """
    faces = source.faces
    answer = ferplus.read_answers(path, faces)
    label = ferplus.labels(answer, expressions)
    kept = label != ferplus.NONE
    others = Counter(_said(number) for number in answer[~kept])
    labelled = Faces(faces.images[kept], label[kept].astype(np.uint8), faces.usage[kept])
    return source._replace(faces=labelled, left_out={**source.left_out, **others})


def _said(answer: int) -> str:
    name = str(answer) if answer == ferplus.NONE else ferplus.VOTES[answer]
    return LEFT_OUT.get(name, name)

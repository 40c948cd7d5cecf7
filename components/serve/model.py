"""What answers: a verified version of a model, and the finder of faces."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from components.fer.dataset import expression_names
from components.fer.errors import InputError
from components.serve.errors import NoFace
from components.serve.refused import Refused
from components.serve.tensors import SHAPE, Images

Probabilities = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

INPUT, OUTPUT = "images", "probabilities"
"""Names of the tensors in the Open Inference Protocol."""


@dataclass(frozen=True)
class Photo:
    """A photo in a request."""

    content: bytes
    """of its file"""
    number: int
    """of its image among the request's"""
    where: str
    """it stands in the request"""


@dataclass(frozen=True)
class Model:
    """A version of a model."""

    name: str
    version: str
    data_md5: str
    """of the data set that it was trained on"""
    probabilities: Callable[[Images], Probabilities]
    """uint8 (N, 48, 48, 1) to float32 (N, `expressions`); called by several threads"""
    find_face: Callable[[bytes], Images]
    """content of a photo file to a face, uint8 (48, 48, 1); raises `InputError`, or `NoFace` where there is none;
    called by one thread"""
    expressions: int
    """how many it answers, 7 or 8"""

    def face(self, photo: Photo) -> Images:
        """Find the face in a photo: uint8 (48, 48, 1). Raises `Refused`."""
        try:
            return self.find_face(photo.content)
        except NoFace as error:
            raise Refused("no_face", f"{photo.where}: {_first_line(error)}") from error
        except InputError as error:
            raise Refused("image", f"{photo.where}: {_first_line(error)}") from error

    def metadata(self) -> dict[str, object]:
        """Describe the model as the Open Inference Protocol does, with labels and origin beside."""
        return {
            "name": self.name,
            "versions": [self.version],
            "platform": "ferflow",
            "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, *SHAPE]}],
            "outputs": [{"name": OUTPUT, "datatype": "FP32", "shape": [-1, self.expressions]}],
            "parameters": {
                "version": self.version,
                "data_md5": self.data_md5,
                "labels": ",".join(expression_names(self.expressions)),
            },
        }


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]

"""The two protocols that KServe's clients speak: requests to images, probabilities to answers. No files, no sockets.

V2, the Open Inference Protocol (https://github.com/kserve/open-inference-protocol), takes a tensor `images`: UINT8
(N, 48, 48, 1), or BYTES (N,), whose elements are files of photos. With its extension for binary tensors the data stand
behind the JSON, whose length a header says. V1 (https://kserve.github.io/website, "V1 Protocol") takes `instances`:
images in lists, or photos as {"b64": ...}.
"""

import json
import math
import uuid
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from components.serve.limits import Limits
from components.serve.model import INPUT, OUTPUT, Model, Photo, Probabilities
from components.serve.refused import Refused
from components.serve.tensors import SHAPE, Images, base64_bytes, elements, json_object, pixels, type_of

HEADER_LENGTH = "inference-header-content-length"
"""Header that says how many bytes of a body are JSON; binary tensors follow."""

BINARY = "binary_tensor_data"
"""Name of that extension."""

Parameters = dict[str, StrictBool | int | float | str]


@dataclass(frozen=True)
class Asked:
    """What a request asks."""

    images: Images
    """uint8 (N, 48, 48, 1)"""
    photos: tuple[Photo, ...] = ()
    """those whose faces have still to be found and take their places in `images`"""
    id: str = ""
    binary: bool = False
    """whether the answer shall be a binary tensor"""


@dataclass(frozen=True)
class Answer:
    """The body of an answer, and what its headers have to say of it."""

    content: bytes
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Tensor(BaseModel):
    """An input of V2."""

    model_config = ConfigDict(frozen=True)

    name: str
    shape: list[Annotated[int, Field(ge=0, lt=2**31)]]
    datatype: str
    parameters: Parameters = {}
    data: list[object] | None = None


class Output(BaseModel):
    """An output that a request of V2 asks for."""

    model_config = ConfigDict(frozen=True)

    name: str
    parameters: Parameters = {}


class InferenceRequest(BaseModel):
    """A request of V2."""

    model_config = ConfigDict(frozen=True)

    id: str = ""
    parameters: Parameters = {}
    inputs: list[Tensor] = Field(min_length=1)
    outputs: list[Output] = []


def ask_v2(body: bytes, header_length: str | None, limits: Limits) -> Asked:
    """Read a request of V2 within `limits`; `header_length` is the value of that header. Raises `Refused`."""
    head, tail = _parts(body, header_length)
    try:
        request = InferenceRequest.model_validate(json_object(head))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Refused("tensor", f"{where}: {first['msg']}.") from error
    tensor = request.inputs[0]
    if [one.name for one in request.inputs] != [INPUT]:
        received = ", ".join(one.name for one in request.inputs)
        raise Refused("tensor", f"inputs: expected one tensor, {INPUT}, received {received[:100]}.")
    if unknown := [one.name for one in request.outputs if one.name != OUTPUT]:
        raise Refused("tensor", f"outputs: expected {OUTPUT}, received {unknown[0][:100]}.")
    asks = [
        request.parameters.get("binary_data_output"),
        *(one.parameters.get("binary_data") for one in request.outputs),
    ]
    return Asked(*_images_v2(tensor, tail, limits), request.id, binary=True in asks)


def answer_v2(asked: Asked, probabilities: Probabilities, model: Model) -> Answer:
    """Write the answer of V2."""
    output: dict[str, object] = {"name": OUTPUT, "shape": list(probabilities.shape), "datatype": "FP32"}
    answer = {
        "model_name": model.name,
        "model_version": model.version,
        "id": asked.id or str(uuid.uuid4()),
        "outputs": [output],
    }
    if not asked.binary:
        output["data"] = probabilities.ravel().tolist()
        return Answer(json.dumps(answer).encode())
    data = probabilities.astype("<f4").tobytes()
    output["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps(answer).encode()
    return Answer(head + data, "application/octet-stream", {HEADER_LENGTH: str(len(head))})


def ask_v1(body: bytes, limits: Limits) -> Asked:
    """Read a request of V1 within `limits`. Raises `Refused`."""
    instances = json_object(body).get("instances")
    if not isinstance(instances, list):
        raise Refused("tensor", f"instances: expected a list of images, received {type_of(instances)}.")
    count = sum(isinstance(one, dict) for one in instances)
    _check_count(len(instances), limits.images, "images", "instances")
    if count:
        _check_count(count, limits.photos, "photos", "instances")
    images, photos = np.zeros((len(instances), *SHAPE), np.uint8), []
    for number, instance in enumerate(instances):
        where = f"instances[{number}]"
        if isinstance(instance, dict):
            photos.append(Photo(_file_v1(instance, where), number, where))
        else:
            images[number] = _image_v1(instance, where)
    return Asked(images, tuple(photos))


def answer_v1(probabilities: Probabilities) -> Answer:
    """Write the answer of V1: a row of probabilities for each instance."""
    return Answer(json.dumps({"predictions": probabilities.tolist()}).encode())


def _parts(body: bytes, header_length: str | None) -> tuple[bytes, bytes | None]:
    """The JSON of a body and its binary tensors, or none where all of it is JSON."""
    if header_length is None:
        return body, None
    # No more digits than the body's size has: Python makes no number of thousands of digits.
    number = header_length.isascii() and header_length.isdigit() and len(header_length) <= len(str(len(body)))
    if not (number and int(header_length) <= len(body)):
        expected = f"a number of bytes up to those of the body, {len(body)}"
        raise Refused("tensor", f"header {HEADER_LENGTH}: expected {expected}, received {header_length[:20]!r}.")
    length = int(header_length)
    return body[:length], body[length:]


def _images_v2(tensor: Tensor, tail: bytes | None, limits: Limits) -> tuple[Images, tuple[Photo, ...]]:
    where = f"inputs[0] ({INPUT})"
    if tensor.datatype not in ("UINT8", "BYTES"):
        raise Refused("tensor", f"{where}: expected datatype UINT8 or BYTES, received {tensor.datatype[:20]}.")
    photos = tensor.datatype == "BYTES"
    end = () if photos else SHAPE
    if not tensor.shape or tuple(tensor.shape[1:]) != end:
        expected = f"[{', '.join(['N', *map(str, end)])}]"
        raise Refused("tensor", f"{where}: expected shape {expected}, received {tensor.shape[:8]}.")
    count = tensor.shape[0]
    _check_count(count, limits.photos if photos else limits.images, "photos" if photos else "images", where)
    binary = _binary(tensor, tail, where)
    if photos:
        files = enumerate(_photos(tensor, binary, where))
        return np.zeros((count, *SHAPE), np.uint8), tuple(Photo(file, n, f"{where}[{n}]") for n, file in files)
    found = pixels(tensor.data, where).ravel() if binary is None else np.frombuffer(binary, np.uint8)
    if found.size != count * math.prod(SHAPE):
        expected = f"{count} x {math.prod(SHAPE)} numbers"
        raise Refused("tensor", f"{where}: expected {expected} for shape {tensor.shape}, received {found.size}.")
    return found.reshape((count, *SHAPE)), ()


def _photos(tensor: Tensor, binary: bytes | None, where: str) -> list[bytes]:
    if binary is None:
        texts = tensor.data or []
        photos = [base64_bytes(text, f"{where}[{number}]") for number, text in enumerate(texts[: tensor.shape[0] + 1])]
    else:
        photos = elements(binary, where)
    if len(photos) != tensor.shape[0]:
        raise Refused("tensor", f"{where}: expected {tensor.shape[0]} photos by its shape, received {len(photos)}.")
    return photos


def _binary(tensor: Tensor, tail: bytes | None, where: str) -> bytes | None:
    """The binary data of the tensor; none where it has its data in JSON."""
    size = tensor.parameters.get("binary_data_size")
    if size is None:
        if tensor.data is None or tail:
            raise Refused("tensor", f"{where}: expected data, or the parameter binary_data_size, received neither.")
        return None
    if tail is None:
        raise Refused("tensor", f"{where}: expected the header {HEADER_LENGTH} for binary data, received none.")
    if size != len(tail) or tensor.data is not None:
        expected = "as many bytes behind the JSON as binary_data_size says, and no data in it"
        raise Refused("tensor", f"{where}: expected {expected}, received {len(tail)} bytes.")
    return tail


def _file_v1(instance: dict[object, object], where: str) -> bytes:
    if instance.keys() != {"b64"}:
        raise Refused("tensor", f"{where}: expected pixels, or an object with b64 alone, received another object.")
    return base64_bytes(instance["b64"], where)


def _image_v1(instance: object, where: str) -> Images:
    found = pixels(instance, where)
    if found.shape not in (SHAPE, SHAPE[:2]):
        received = " x ".join(map(str, found.shape))
        raise Refused("tensor", f"{where}: expected 48 x 48 or 48 x 48 x 1 numbers, received {received}.")
    return found.reshape(SHAPE)


def _check_count(received: int, most: int, what: str, where: str) -> None:
    if not 1 <= received <= most:
        raise Refused("tensor", f"{where}: expected 1 to {most} {what}, received {received}.")

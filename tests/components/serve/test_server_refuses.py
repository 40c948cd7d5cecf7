"""Requests that cannot be answered get one clear sentence and a status of their own, and the next one is answered."""

import base64
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components.serve.protocol import HEADER_LENGTH
from tests.components.serve.made_server import FAULTY, NAME
from tests.components.serve.running import FACE, INFER, PREDICT, Running, running, tensor

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("goes_on")]

BODY = 64 * 2**10
"""bytes that the server takes"""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("--limits.body-bytes", str(BODY), "--limits.images", "3", "--limits.photos", "2") as server:
        yield server


def bomb() -> bytes:
    """A PNG of 30,000 x 30,000 pixels in a few kilobytes: its header claims them, its data are never reached."""
    content = io.BytesIO()
    Image.new("L", (1, 1)).save(content, "png")
    head = bytearray(content.getvalue())
    head[16:24] = (30_000).to_bytes(4) * 2
    head[29:33] = zlib.crc32(head[12:29]).to_bytes(4)
    return bytes(head)


def grey() -> bytes:
    content = io.BytesIO()
    Image.new("L", (64, 64), 90).save(content, "png")
    return content.getvalue()


def photo(content: bytes) -> dict[str, Any]:
    return tensor(FACE, shape=[1], datatype="BYTES", data=[base64.b64encode(content).decode()])


def huge(request: dict[str, Any]) -> bytes:
    """A number of 4,001 digits where "HUGE" is."""
    return json.dumps(request).replace('"HUGE"', "1" + "0" * 4_000).encode()


V2 = [
    (b"", 400, "body: expected JSON, found a fault: EOF while parsing a value at line 1 column 0."),
    (b"[1]", 400, "body: expected a JSON object, received a list."),
    (b'{"inputs":' + b"[" * 20_000, 400, "recursion limit exceeded"),
    (b"\xff\xfe", 400, "body: expected JSON, found a fault"),
    ({}, 400, "inputs: Field required."),
    ({"inputs": []}, 400, "inputs: List should have at least 1 item after validation, not 0."),
    (tensor(FACE, name="pictures"), 400, "inputs: expected one tensor, images, received pictures."),
    (tensor(FACE) | {"outputs": [{"name": "labels"}]}, 400, "outputs: expected probabilities, received labels."),
    (tensor(FACE, datatype="FP32"), 400, "inputs[0] (images): expected datatype UINT8 or BYTES, received FP32."),
    (tensor(FACE, shape=[48, 48]), 400, "expected shape [N, 48, 48, 1], received [48, 48]."),
    (tensor(FACE, shape=[1, 48, 48, 3]), 400, "expected shape [N, 48, 48, 1], received [1, 48, 48, 3]."),
    (tensor(FACE, shape=[-1, 48, 48, 1]), 400, "inputs.0.shape.0: Input should be greater than or equal to 0."),
    (tensor(FACE, shape=[2, 48, 48, 1]), 400, "expected 2 x 2304 numbers for shape [2, 48, 48, 1], received 2304."),
    (tensor(FACE, shape=[0, 48, 48, 1], data=[]), 400, "inputs[0] (images): expected 1 to 3 images, received 0."),
    (tensor(FACE, shape=[4, 48, 48, 1]), 400, "inputs[0] (images): expected 1 to 3 images, received 4."),
    (tensor(FACE, data=[256] * 2304), 400, "expected whole numbers 0 to 255, received 256."),
    (tensor(FACE, data=[-1] * 2304), 400, "expected whole numbers 0 to 255, received -1."),
    (huge(tensor(FACE, data=["HUGE"])), 400, "expected whole numbers 0 to 255, received one that is much larger."),
    (huge(tensor(FACE, shape=["HUGE"])), 400, "inputs.0.shape.0: Input should be less than 2147483648."),
    (tensor(FACE, data=[0.5] * 2304), 400, "expected whole numbers 0 to 255, received a number with a fraction."),
    (tensor(FACE, data=[True] * 2304), 400, "expected whole numbers 0 to 255, received a boolean."),
    (tensor(FACE, data=["0"] * 2304), 400, "expected whole numbers 0 to 255, received a string."),
    (tensor(FACE, data=[[0, 1], [2]]), 400, "expected lists of one length at each depth, received others."),
    (tensor(FACE, data=[float("nan")] * 2304), 400, "body: expected JSON, found a fault: expected value"),
    (tensor(FACE, data=None), 400, "expected data, or the parameter binary_data_size, received neither."),
    (tensor(FACE, data=None, parameters={"binary_data_size": 2304}), 400, f"expected the header {HEADER_LENGTH}"),
    (photo(b"no picture"), 400, "inputs[0] (images)[0]: photo: expected a picture"),
    (photo(bomb()), 400, "decompression bomb"),
    (photo(grey()), 422, "inputs[0] (images)[0]: photo: expected a face, found none."),
    (tensor(FACE, shape=[1], datatype="BYTES", data=["?"]), 400, "inputs[0] (images)[0]: expected base64"),
    (tensor(FACE, shape=[1], datatype="BYTES", data=[7]), 400, "expected base64 in a string, received a whole number."),
    (tensor(FACE, shape=[2], datatype="BYTES", data=["aa=="]), 400, "expected 2 photos by its shape, received 1."),
    (tensor(FACE, shape=[3], datatype="BYTES", data=[]), 400, "expected 1 to 2 photos, received 3."),
]

V1 = [
    ({}, 400, "instances: expected a list of images, received null."),
    ({"instances": []}, 400, "instances: expected 1 to 3 images, received 0."),
    ({"instances": [[1, 2]]}, 400, "instances[0]: expected 48 x 48 or 48 x 48 x 1 numbers, received 2."),
    ({"instances": [7]}, 400, "instances[0]: expected a list of numbers, received a whole number."),
    ({"instances": [{"image": "x"}]}, 400, "instances[0]: expected pixels, or an object with b64 alone"),
    ({"instances": [{"b64": base64.b64encode(grey()).decode()}]}, 422, "instances[0]: photo: expected a face"),
]


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [*((INFER, *case) for case in V2), *((PREDICT, *case) for case in V1)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_body_is_refused(server: Running, path: str, body: Any, status: int, sentence: str) -> None:
    reply = server.post(path, body)
    assert (reply.status, list(reply.json)) == (status, ["error"])
    assert sentence in reply.json["error"]
    assert "\n" not in reply.json["error"]


def test_one_long_string_among_the_numbers_takes_no_memory(server: Running) -> None:
    """An array of strings has the width of its longest: 30,000 characters times 10,000 would be 1.2 GB."""
    before = server.memory()
    reply = server.post(INFER, tensor(FACE, data=["x" * 30_000, *[0] * 10_000]))
    assert reply.status == 400
    assert server.memory() - before < 100 * 2**20


def test_other_content_types_are_refused(server: Running) -> None:
    for path in (INFER, PREDICT):
        reply = server.post(path, tensor(FACE), content_type="application/x-www-form-urlencoded")
        assert reply.status == 415
        assert reply.json["error"].startswith("content-type: expected application/json")
    assert server.post(INFER, tensor(FACE), content_type="application/octet-stream").status == 415


@pytest.mark.parametrize("length", ["-1", "x", "99999999", "²", "9" * 5_000, "0" * 4_999 + "2"], ids=lambda it: it[:9])
def test_a_wrong_length_of_the_json_is_refused(server: Running, length: str) -> None:
    headers = {HEADER_LENGTH: length.encode().decode("latin-1")}
    reply = server.post(INFER, json.dumps(tensor(FACE)).encode(), **headers)
    assert reply.status == 400
    assert reply.json["error"].startswith(f"header {HEADER_LENGTH}: expected a number of bytes")


def test_binary_data_of_another_size_is_refused(server: Running) -> None:
    head = json.dumps(tensor(FACE, data=None, parameters={"binary_data_size": 2304})).encode()
    reply = server.post(INFER, head + bytes(2303), **{HEADER_LENGTH: str(len(head))})
    assert (
        "expected as many bytes behind the JSON as binary_data_size says, and no data in it, received 2303 bytes."
        in reply.json["error"]
    )


@pytest.mark.parametrize("claimed", [b"\xff\xff\xff\xff", b"\x05\x00\x00\x00", b"\x00"])
def test_a_photo_that_is_shorter_than_it_says_is_refused(server: Running, claimed: bytes) -> None:
    tail = claimed + b"abc"
    inputs = {"name": "images", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": len(tail)}}
    head = json.dumps({"inputs": [inputs]}).encode()
    reply = server.post(INFER, head + tail, **{HEADER_LENGTH: str(len(head))})
    assert reply.status == 400
    assert "the last is cut short" in reply.json["error"]


def test_unknown_places_and_methods_are_refused(server: Running) -> None:
    assert server.post("/v2/models/other/infer", tensor(FACE)).json == {
        "error": f"model: expected {NAME}, received other."
    }
    assert server.get(f"/v2/models/{NAME}/versions/9").status == 404
    assert server.get("/v3").json == {"error": "GET /v3: Not Found."}
    assert server.get(INFER).status == 405
    assert server.request("DELETE", "/v2").status == 405


def test_a_body_over_the_limit_is_refused_by_its_length_before_it_is_sent(server: Running) -> None:
    with server.connect() as client:
        head = f"POST {INFER} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {10**12}\r\n\r\n"
        client.sendall(head.encode())
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer


def test_who_sends_a_body_over_the_limit_can_read_why(server: Running) -> None:
    """Even one that sends all of it before it looks for an answer, where it is not more than twice what is allowed."""
    reply = server.post(INFER, b" " * (BODY + 50_000))
    assert reply.status == 413
    assert reply.json["error"] == f"body: expected at most {BODY} bytes, received {BODY + 50_000}."


def test_a_body_without_length_is_refused_where_it_passes_the_limit(server: Running) -> None:
    before = server.memory()
    with server.connect() as client:
        client.sendall(f"POST {INFER} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        with pytest.raises(OSError, match=r"reset|pipe"):  # 1 GiB is never taken
            client.sendall((b"100000\r\n" + bytes(2**20) + b"\r\n") * 1024)
    assert server.memory() - before < 50 * 2**20


def test_a_fault_of_the_model_is_told_without_its_inside_and_counted(server: Running) -> None:
    reply = server.post(INFER, tensor(np.full_like(FACE, FAULTY)))
    assert (reply.status, reply.json) == (500, {"error": "The server has a fault; its log says which."})
    assert b'ferflow_errors_total{kind="internal"} 1.0' in server.get("/metrics").content


def test_a_request_that_is_no_http_is_refused(server: Running) -> None:
    with server.connect() as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")

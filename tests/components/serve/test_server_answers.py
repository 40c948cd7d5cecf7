"""The server answers in both protocols, over real sockets."""

import base64
import io
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from components.fer.dataset import EXPRESSIONS
from components.serve import observations
from components.serve.protocol import HEADER_LENGTH
from tests.components.serve.made_server import MD5, NAME, VERSION, probabilities
from tests.components.serve.running import INFER, PREDICT, Running, running, tensor

pytestmark = pytest.mark.slow

FACES: NDArray[np.uint8] = np.random.default_rng(1).integers(0, 256, (5, 48, 48, 1), np.uint8)
ANSWERS = probabilities(FACES)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as server:
        yield server


def png(face: NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(face[..., 0]).save(content, "png")
    return content.getvalue()


def binary(head: dict[str, Any], tail: bytes) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a request with a binary tensor."""
    written = json.dumps(head).encode()
    return written + tail, {HEADER_LENGTH: str(len(written)), "content_type": "application/octet-stream"}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_v2_answers_with_the_models_probabilities(server: Running, count: int) -> None:
    reply = server.post(INFER, {**tensor(FACES[:count]), "id": "42"})
    assert reply.status == 200
    answer = reply.json
    assert (answer["model_name"], answer["model_version"], answer["id"]) == (NAME, VERSION, "42")
    [output] = answer["outputs"]
    assert (output["name"], output["shape"], output["datatype"]) == ("probabilities", [count, 7], "FP32")
    np.testing.assert_array_equal(np.array(output["data"], np.float32).reshape(count, 7), ANSWERS[:count])


def test_v2_takes_nested_data(server: Running) -> None:
    reply = server.post(INFER, tensor(FACES, data=FACES.tolist()))
    np.testing.assert_array_equal(np.array(reply.json["outputs"][0]["data"], np.float32), ANSWERS.ravel())


def test_v2_takes_and_gives_binary_tensors(server: Running) -> None:
    head = tensor(FACES, parameters={"binary_data_size": FACES.size}) | {"parameters": {"binary_data_output": True}}
    del head["inputs"][0]["data"]
    body, headers = binary(head, FACES.tobytes())
    reply = server.post(INFER, body, **headers)
    assert reply.status == 200, reply.content
    length = int(reply.headers[HEADER_LENGTH])
    [output] = json.loads(reply.content[:length])["outputs"]
    assert output["parameters"] == {"binary_data_size": ANSWERS.nbytes}
    assert reply.content[length:] == ANSWERS.tobytes()


def test_v1_answers_with_a_row_for_each_instance(server: Running) -> None:
    """An instance is 48 x 48 x 1 or 48 x 48, or a photo."""
    instances = [FACES[0].tolist(), FACES[1, ..., 0].tolist(), {"b64": base64.b64encode(png(FACES[2])).decode()}]
    reply = server.post(PREDICT, {"instances": instances})
    np.testing.assert_array_equal(np.array(reply.json["predictions"], np.float32), ANSWERS[:3])


def test_v2_takes_photos(server: Running) -> None:
    """In JSON as base64, in a binary tensor each with its length before it."""
    photos = [png(face) for face in FACES[:2]]
    texts = [base64.b64encode(photo).decode() for photo in photos]
    reply = server.post(INFER, tensor(FACES, shape=[2], datatype="BYTES", data=texts))
    np.testing.assert_array_equal(np.array(reply.json["outputs"][0]["data"], np.float32), ANSWERS[:2].ravel())

    tail = b"".join(struct.pack("<I", len(photo)) + photo for photo in photos)
    inputs = {"name": "images", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": len(tail)}}
    body, headers = binary({"inputs": [inputs]}, tail)
    reply = server.post(INFER, body, **headers)
    np.testing.assert_array_equal(np.array(reply.json["outputs"][0]["data"], np.float32), ANSWERS[:2].ravel())


def test_it_says_what_it_serves(server: Running) -> None:
    metadata = server.get(f"/v2/models/{NAME}").json
    assert metadata["versions"] == [VERSION]
    assert metadata["inputs"] == [{"name": "images", "datatype": "UINT8", "shape": [-1, 48, 48, 1]}]
    assert metadata["outputs"] == [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 7]}]
    labels = ",".join(EXPRESSIONS)
    assert metadata["parameters"] == {"version": VERSION, "data_md5": MD5, "labels": labels}
    assert server.get(f"/v2/models/{NAME}/versions/{VERSION}").json == metadata
    release = version("ferflow")
    assert server.get("/v2").json == {"name": "ferflow", "version": release, "extensions": ["binary_tensor_data"]}
    assert server.get("/v1/models").json == {"models": [NAME]}


def test_it_is_live_and_ready(server: Running) -> None:
    assert server.get("/v2/health/live").json == {"live": True}
    assert server.get("/v2/health/ready").json == {"ready": True}
    for path in (f"/v2/models/{NAME}/ready", f"/v2/models/{NAME}/versions/{VERSION}/ready", f"/v1/models/{NAME}"):
        assert server.get(path).json == {"name": NAME, "ready": True}


def test_answers_are_noted_for_drift_where_asked(tmp_path: Path) -> None:
    with running("--observations", str(tmp_path)) as server:
        server.infer(FACES)
        server.post(INFER, b"{")
    found = list(observations.read(tmp_path, datetime(2000, 1, 1, tzinfo=UTC)))
    assert {one.version for one in found} == {VERSION}
    np.testing.assert_allclose([one.probabilities for one in found], ANSWERS, atol=1e-6)


def test_metrics_count_requests_images_and_expressions() -> None:
    """Read by Prometheus' own parser."""
    with running() as server:
        server.infer(FACES)
        server.post(PREDICT, {"instances": FACES[:2].tolist()})
        server.post(INFER, b"{")
        reply = server.get("/metrics")
        samples = {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(reply.content.decode())
            for sample in family.samples
        }
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert samples["ferflow_requests_total", "v2", "200"] == samples["ferflow_requests_total", "v1", "200"] == 1
    assert samples["ferflow_requests_total", "v2", "400"] == samples["ferflow_errors_total", "json"] == 1
    assert samples["ferflow_images_total",] == 7
    counts = np.bincount([*ANSWERS.argmax(axis=1), *ANSWERS[:2].argmax(axis=1)], minlength=7)
    assert [samples["ferflow_expressions_total", expression] for expression in EXPRESSIONS] == counts.tolist()
    assert samples["ferflow_request_seconds_count", "v2"] == 2
    assert samples["ferflow_model", MD5, NAME, VERSION] == 1
    assert samples["process_resident_memory_bytes",] > 0

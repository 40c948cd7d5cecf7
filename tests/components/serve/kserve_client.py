"""KServe's own client asks a server; run by a Python that has kserve (0.21), which this repository's need not have.

    python kserve_client.py http://HOST:PORT MODEL FACES.npy

Prints as JSON: whether it is live and ready, the probabilities by each protocol and form, the error of another name.
"""

import asyncio
import io
import json
import sys
from typing import Any

import numpy as np
from kserve import (  # type: ignore[import-not-found, unused-ignore]
    InferenceRESTClient,
    InferInput,
    InferRequest,
    RESTConfig,
)
from kserve.protocol.infer_type import RequestedOutput  # type: ignore[import-not-found, unused-ignore]
from PIL import Image


async def main(url: str, name: str, path: str) -> None:
    faces = np.load(path)
    png = io.BytesIO()
    Image.fromarray(faces[0, ..., 0]).save(png, "png")
    photos = np.array([png.getvalue()], dtype=np.object_)
    v1, v2 = (InferenceRESTClient(RESTConfig(protocol=protocol, timeout=120)) for protocol in ("v1", "v2"))

    async def infer(array: Any, datatype: str, binary: bool, outputs: Any = None, model: str = name) -> Any:
        tensor = InferInput("images", list(array.shape), datatype)
        tensor.set_data_from_numpy(array, binary_data=binary)
        request = InferRequest(model, [tensor], request_outputs=outputs)
        return (await v2.infer(url, request, model_name=model)).outputs[0].as_numpy().tolist()

    try:
        await infer(faces, "UINT8", binary=True, model="other")
        error = ""
    except Exception as fault:
        error = str(fault)
    found = {
        "live": await v2.is_server_live(url),
        "ready": await v2.is_server_ready(url),
        "model_ready": [await client.is_model_ready(url, name) for client in (v1, v2)],
        "json": await infer(faces, "UINT8", binary=False),
        "binary": await infer(faces, "UINT8", binary=True),
        "binary_output": await infer(
            faces, "UINT8", binary=True, outputs=[RequestedOutput("probabilities", {"binary_data": True})]
        ),
        "photo": await infer(photos, "BYTES", binary=True),
        "v1": (await v1.infer(url, {"instances": faces.tolist()}, model_name=name))["predictions"],
        "error": error,
    }
    sys.stdout.write(json.dumps(found))


asyncio.run(main(*sys.argv[1:]))

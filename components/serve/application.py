"""The server's addresses: health, metadata and metrics, and the two ways to ask for probabilities."""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Literal

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from components.serve import protocol
from components.serve.bodies import LimitedBodies
from components.serve.limits import Limits
from components.serve.metrics import CONTENT_TYPE, Metrics
from components.serve.model import Model, Probabilities
from components.serve.protocol import Answer, Asked
from components.serve.refused import Kind, Refused
from components.serve.tensors import Images
from components.serve.workers import Workers

Protocol = Literal["v1", "v2"]

Remember = Callable[[Images, Probabilities], None]
"""Notes what was answered."""

Ask = Callable[[bytes], Asked]
"""From a request's body to what it asks."""

Write = Callable[[Asked, Probabilities], Answer]
"""From that and the probabilities to the answer."""

JSON, BYTES = "application/json", "application/octet-stream"

BY_STATUS: dict[int, Kind] = {404: "not_found", 405: "method"}

HTTP_BUSY = 503

RELEASE = "0.1.0"
"""of ferflow, as pyproject.toml says: an image has the sources alone, and no package that could be asked"""

CLIENT_GONE = 499
"""Status, by nginx' custom, of a request whose client hung up; nobody sees it but the metrics."""


class Application:
    """Answers with one model."""

    def __init__(self, model: Model, limits: Limits, remember: Remember | None) -> None:
        self.model, self.limits, self.remember = model, limits, remember
        self.workers = Workers(len(os.sched_getaffinity(0)), limits.queue, "requests")
        self.photos = Workers(1, limits.photo_queue, "requests with photos")
        self.metrics = Metrics(model.name, model.version, model.data_md5, model.expressions)
        self.metrics.present.set_function(lambda: self.workers.present)
        self.ready = True
        """false as soon as the server was told to stop"""

    def asgi(self) -> ASGIApp:
        """The application as a server runs it."""
        one, whole = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
        routes = [
            Route("/metrics", self._metrics),
            Route("/v2", self._server),
            Route("/v2/health/live", self._live),
            Route("/v2/health/ready", self._ready),
            *(Route(f"{path}/ready", self._model_ready) for path in (one, whole)),
            *(Route(f"{path}/infer", self._v2, methods=["POST"]) for path in (one, whole)),
            *(Route(path, self._model) for path in (one, whole)),
            Route("/v1/models", self._models),
            Route("/v1/models/{name}:predict", self._v1, methods=["POST"]),
            Route("/v1/models/{name}", self._model_ready),
        ]
        handlers = {
            Refused: self._refused,
            HTTPException: self._no_route,
            ClientDisconnect: _gone,
            Exception: self._fault,
        }
        return LimitedBodies(Starlette(routes=routes, exception_handlers=handlers), self.limits)

    async def _metrics(self, _: Request) -> Response:
        return Response(self.metrics.text(), headers={"content-type": CONTENT_TYPE})

    async def _server(self, _: Request) -> Response:
        return JSONResponse({"name": "ferflow", "version": RELEASE, "extensions": [protocol.BINARY]})

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"live": True})

    async def _ready(self, _: Request) -> Response:
        return JSONResponse({"ready": self.ready}, 200 if self.ready else 503)

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"models": [self.model.name]})

    async def _model(self, request: Request) -> Response:
        self._check_name(request)
        return JSONResponse(self.model.metadata())

    async def _model_ready(self, request: Request) -> Response:
        self._check_name(request)
        return JSONResponse({"name": self.model.name, "ready": self.ready}, 200 if self.ready else 503)

    async def _v1(self, request: Request) -> Response:
        def write(_: Asked, probabilities: Probabilities) -> Answer:
            return protocol.answer_v1(probabilities)

        return await self._answered("v1", request, partial(protocol.ask_v1, limits=self.limits), write)

    async def _v2(self, request: Request) -> Response:
        length = request.headers.get(protocol.HEADER_LENGTH)

        ask = partial(protocol.ask_v2, header_length=length, limits=self.limits)
        return await self._answered("v2", request, ask, partial(protocol.answer_v2, model=self.model))

    async def _answered(self, name: Protocol, request: Request, ask: Ask, write: Write) -> Response:
        """Answer a request for probabilities, and count it, however it ends."""
        started, status = time.perf_counter(), 500
        try:
            self._check_name(request)
            _check_type(request)
            body = await request.body()
            with self.workers.place():
                asked = await self.workers.do(partial(ask, body))
                if asked.photos:
                    await self._find_faces(asked)
                found = await self.workers.do(partial(self._work, asked, write))
            status = 200
            return Response(found.content, headers={"content-type": found.media_type, **found.headers})
        except Refused as error:
            status = error.status
            raise
        except ClientDisconnect:
            status = CLIENT_GONE
            raise
        finally:
            self.metrics.requests.labels(name, str(status)).inc()
            self.metrics.seconds.labels(name).observe(time.perf_counter() - started)

    async def _find_faces(self, asked: Asked) -> None:
        """Put the faces of photos in their places; the threads that answer are free meanwhile."""
        with self.photos.place():
            for photo in asked.photos:
                asked.images[photo.number] = await self.photos.do(partial(self.model.face, photo))

    def _work(self, asked: Asked, write: Write) -> Answer:
        """What a thread does once a request is read: all that takes long."""
        probabilities = self.model.probabilities(asked.images)
        self.metrics.answered(probabilities.argmax(axis=1).tolist())
        if self.remember is not None:
            self.remember(asked.images, probabilities)
        return write(asked, probabilities)

    def _check_name(self, request: Request) -> None:
        asked = request.path_params
        if asked["name"] != self.model.name:
            raise Refused("not_found", f"model: expected {self.model.name}, received {asked['name'][:100]}.")
        if asked.get("version", self.model.version) != self.model.version:
            raise Refused("not_found", f"version: expected {self.model.version}, received {asked['version'][:100]}.")

    async def _refused(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        self.metrics.errors.labels(error.kind).inc()
        headers = {"retry-after": "1"} if error.status == HTTP_BUSY else {}
        return JSONResponse({"error": str(error)}, error.status, headers)

    async def _no_route(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        self.metrics.errors.labels(BY_STATUS.get(error.status_code, "other")).inc()
        sentence = f"{request.method} {request.url.path[:100]}: {error.detail}."
        return JSONResponse({"error": sentence}, error.status_code, error.headers)

    async def _fault(self, _: Request, error: Exception) -> Response:
        """A fault of the program: its traceback goes to the log, by the server."""
        self.metrics.errors.labels("internal").inc()
        return JSONResponse({"error": "The server has a fault; its log says which."}, 500)


def _check_type(request: Request) -> None:
    """JSON is taken, said or not, and bytes where a header says how many of them are JSON."""
    found = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    binary = protocol.HEADER_LENGTH in request.headers
    if found != JSON and not (binary and found == BYTES):
        expected = f"{JSON}, or {BYTES} with the header {protocol.HEADER_LENGTH}"
        raise Refused("content_type", f"content-type: expected {expected}, received {found[:100]}.")


async def _gone(_: Request, error: Exception) -> Response:
    return Response(status_code=CLIENT_GONE)

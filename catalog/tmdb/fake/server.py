"""The fake's HTTP side: loopback only, one line of log for each request."""

from __future__ import annotations

import hashlib
import itertools
import json
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import parse_qs, unquote, urlsplit

from catalog.tmdb.fake.faults import Fault, Mischief
from catalog.tmdb.fake.records import Records

_REFUSALS = {
    401: (7, "Invalid API key: You must be granted a valid key."),
    404: (34, "The resource you requested could not be found."),
    429: (25, "Your request count (41) is over the allowed limit of (40)."),
    500: (11, "Internal error: Something went wrong, contact TMDB."),
}
OVERSIZED_BYTES = 3 << 20
_DRIP_PAUSE_S = 0.2
_IMAGE_SIDES = {"w185": (2, 3), "w342": (4, 6), "w780": (8, 12), "w1280": (16, 9)}


@dataclass(frozen=True)
class Request:
    """One line of the log. A later line with the same ``connection`` says that the client took the
    answer: it asks for the next film only once it has kept this one."""

    at: float
    connection: int
    path: str
    query: str
    fault: str
    status: int
    is_sent: bool


class FakeTmdb:
    """Serves ``records``; ``requests`` is what it was asked."""

    def __init__(
        self,
        records: Records,
        *,
        port: int = 0,
        key: str = "",
        mischief: Mischief | None = None,
        log: TextIO | None = None,
    ) -> None:
        self.records = records
        self.mischief = mischief or Mischief()
        self.requests: list[Request] = []
        # Any key will do where none is given.
        self.key = key
        self._log = log
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._server = _Server(("127.0.0.1", port), self)

    @property
    def url(self) -> str:
        """What TMDB_BASE_URL has to be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def image_url(self) -> str:
        """What TMDB_IMAGE_URL has to be."""
        return f"{self.url}/t/p"

    def serve(self) -> None:
        """Until ``stop``."""
        self._server.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()

    def connection_number(self) -> int:
        """Each connection gets its own."""
        with self._lock:
            return next(self._numbers)

    def note(self, request: Request) -> None:
        """Into the log, at once: a reader sees it even if this process is killed."""
        with self._lock:
            self.requests.append(request)
            if self._log is not None:
                self._log.write(json.dumps(asdict(request)) + "\n")
                self._log.flush()


@contextmanager
def running(fake: FakeTmdb) -> Iterator[FakeTmdb]:
    """The fake in a thread of its own, for tests."""
    thread = threading.Thread(target=fake.serve, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.stop()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], fake: FakeTmdb) -> None:
        self.fake = fake
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    # Headers and body leave as one packet: with Nagle and delayed ACKs it would be 40 ms otherwise.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.number = self.server.fake.connection_number()

    def log_message(self, format: str, *args: Any) -> None:
        """The log is our own."""

    def do_GET(self) -> None:
        """One request: what happens to it, and what was asked."""
        fake = self.server.fake
        parts = urlsplit(self.path)
        self.status, fault, is_sent = 0, Fault.NONE, False
        try:
            if parts.path.startswith("/t/p/"):
                self._send(*_image(parts.path))
            else:
                fault = fake.mischief.next()
                self._misbehave(fault, parts.path, parse_qs(parts.query))
            if not self.wfile.closed:
                self.wfile.flush()
            is_sent = fault not in (Fault.RESET, Fault.CUT_OFF, Fault.HANG)
        except OSError:
            self.close_connection = True
        finally:
            fake.note(
                Request(
                    at=time.time(),
                    connection=self.number,
                    path=parts.path,
                    query=parts.query,
                    fault=fault.value,
                    status=self.status,
                    is_sent=is_sent,
                )
            )

    def _misbehave(self, fault: Fault, path: str, query: dict[str, list[str]]) -> None:
        match fault:
            case Fault.BUSY:
                self._refuse(429)
            case Fault.BUSY_RETRY_AFTER:
                wait = self.server.fake.mischief.rates.retry_after_s
                self._refuse(429, {"Retry-After": str(wait)})
            case Fault.ERROR:
                self._refuse(500)
            case Fault.UNAVAILABLE_HTML:
                self._send(503, b"<html>busy</html>", {"Content-Type": "text/html"})
            case Fault.RESET:
                self._reset()
            case Fault.REDIRECT:
                self._send(302, b"", {"Location": "http://127.0.0.1:9/elsewhere"})
            case Fault.HANG:
                self._hang()
            case _:
                self._answer(fault, path, query)

    def _answer(self, fault: Fault, path: str, query: dict[str, list[str]]) -> None:
        status, data = self._route(path, query)
        if status != 200:
            self._refuse(status)
            return
        if fault == Fault.WRONG_TYPES:
            data = {**data, "id": str(data.get("id")), "title": ["not", "text"], "results": {}}
        body = json.dumps(data).encode()
        if fault == Fault.TRUNCATED:
            # With a Content-Length that fits: only the JSON is broken off.
            body = body[: len(body) // 2]
        elif fault == Fault.NOT_JSON:
            body = b"<!doctype html><title>Proxy</title>"
        elif fault == Fault.OVERSIZED:
            body = b'{"padding": "' + b"x" * OVERSIZED_BYTES + b'"}'
        etag = f'W/"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        headers = {"Content-Type": "application/json;charset=utf-8", "ETag": etag}
        if fault == Fault.DRIP:
            self._drip(body, headers)
        elif fault == Fault.CUT_OFF:
            self._head(200, len(body), headers)
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif self.headers.get("If-None-Match") == etag:
            self._send(304, b"", {"ETag": etag})
        else:
            self._send(200, body, headers)

    def _route(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        fake = self.server.fake
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        key = query.get("api_key", [bearer])[0]
        if not key or (fake.key and key != fake.key):
            return 401, {}
        match path.strip("/").split("/"):
            case ["3", "movie", number] if number.isdigit():
                appended = set(query.get("append_to_response", [""])[0].split(","))
                found = fake.records.movie(int(number), appended)
                return (200, found) if found else (404, {})
            case ["3", "find", imdb_id]:
                return 200, fake.records.find(unquote(imdb_id))
            case ["3", "search", "movie"] if query.get("query"):
                year = query.get("year", [""])[0]
                wanted = int(year) if year.isdigit() else None
                return 200, fake.records.search(query["query"][0], wanted)
            case ["3", "configuration"]:
                sizes = list(_IMAGE_SIDES)
                images = {"secure_base_url": f"{fake.image_url}/", "poster_sizes": sizes}
                return 200, {"images": {**images, "backdrop_sizes": sizes}}
            case _:
                return 404, {}

    def _refuse(self, status: int, headers: dict[str, str] | None = None) -> None:
        code, message = _REFUSALS[status]
        data = {"success": False, "status_code": code, "status_message": message}
        body = json.dumps(data).encode()
        self._send(status, body, {"Content-Type": "application/json", **(headers or {})})

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, len(body), headers)
        self.wfile.write(body)

    def _drip(self, body: bytes, headers: dict[str, str]) -> None:
        """A byte now and then: each comes well within any read timeout."""
        self._head(200, len(body), headers)
        for place in range(len(body)):
            self.wfile.write(body[place : place + 1])
            self.wfile.flush()
            time.sleep(_DRIP_PAUSE_S)

    def _hang(self) -> None:
        """Say nothing until the client gives up."""
        self.connection.settimeout(60)
        self.connection.recv(1)
        self.close_connection = True

    def _reset(self) -> None:
        """RST instead of FIN: close with a linger of zero."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        # The socket closes with the last of its file objects.
        self.rfile.close()
        self.wfile.close()
        self.connection.close()


def _image(path: str) -> tuple[int, bytes, dict[str, str]]:
    """A small plain PNG in the right proportion, its colour from its name."""
    size, _, name = path.removeprefix("/t/p/").partition("/")
    if size not in _IMAGE_SIDES or not name:
        return 404, b"<h1>404</h1>", {"Content-Type": "text/html"}
    width, height = _IMAGE_SIDES[size]
    colour = hashlib.sha256(name.encode()).digest()[:3]
    rows = b"".join(b"\0" + colour * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    body = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return 200, body, {"Content-Type": "image/png"}


def read_log(path: Path) -> list[Request]:
    """The requests of a log file, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Request(**json.loads(line)) for line in lines]

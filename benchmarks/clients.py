"""A client that costs little: it shares the cores with the server that it measures.

Written for plain answers of known length and no more. The client of the standard library took half
a millisecond an answer, most of it to read the headers.
"""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 60
_TOKEN = "x" * 32  # cookie and header alike, past the CSRF check as a page does it


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; ``took_s`` from the first byte sent to the last one read."""

    status: int
    took_s: float
    content: bytes
    is_json: bool

    @property
    def body(self) -> Any:
        """What the JSON says; else the bytes. Read when asked: clients share the machine."""
        return json.loads(self.content) if self.is_json else self.content


class Client:
    """One connection that is kept open.

    ``session`` is somebody's cookie, ``address`` the client's own (one of 127.0.0.0/8). Its methods
    raise OSError where the server is away or ends the connection, ValueError for an answer of
    unknown length; the next request makes a new connection.
    """

    def __init__(self, port: int, *, session: str = "", address: str = "") -> None:
        self._port, self._own_address = port, address
        self._socket: socket.socket | None = None
        self.session = session

    def get(self, path: str) -> Answer:
        """A GET."""
        return self._ask("GET", path)

    def put(self, path: str, body: dict[str, Any]) -> Answer:
        """A PUT of JSON."""
        content = json.dumps(body).encode()
        kind = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        return self._ask("PUT", path, f"{kind}X-CSRFToken: {_TOKEN}\r\n", content)

    def close(self) -> None:
        """Ends the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, method: str, path: str, headers: str = "", body: bytes = b"") -> Answer:
        if self.session:
            headers += f"Cookie: sessionid={self.session}; csrftoken={_TOKEN}\r\n"
        asked = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{headers}\r\n"
        started = time.perf_counter()
        try:
            connection = self._connected()
            connection.sendall(asked.encode() + body)
            head, content = _answer_from(connection)
        except (OSError, ValueError):
            self.close()
            raise
        took_s = time.perf_counter() - started
        if _header(head, b"connection") == b"close":
            self.close()
        is_json = b"json" in _header(head, b"content-type")
        return Answer(int(head.split(b" ", 2)[1]), took_s, content, is_json)

    def _connected(self) -> socket.socket:
        if self._socket is None:
            own = (self._own_address, 0) if self._own_address else None
            self._socket = socket.create_connection(("127.0.0.1", self._port), TIMEOUT_S, own)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket


def _answer_from(connection: socket.socket) -> tuple[bytes, bytes]:
    """The head of the answer, in small letters, and its content."""
    received = b""
    while (ends := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    head, content = received[:ends].lower(), received[ends + 4 :]
    if head.startswith((b"http/1.1 204", b"http/1.1 304")):
        return head, b""
    if _header(head, b"transfer-encoding") == b"chunked":
        return head, _joined(connection, content)
    length = _header(head, b"content-length")
    if not length.isdigit():
        raise ValueError(f"an answer of unknown length: {head[:200]!r}")
    parts, missing = [content], int(length) - len(content)
    while missing > 0:
        parts.append(_more(connection))
        missing -= len(parts[-1])
    return head, b"".join(parts)


def _joined(connection: socket.socket, received: bytes) -> bytes:
    """The content of chunks, each after a line with its size; one of size 0 ends it."""
    content = b""
    while True:
        while b"\r\n" not in received:
            received += _more(connection)
        line, _, received = received.partition(b"\r\n")
        size = int(line, 16)
        while len(received) < size + 2:
            received += _more(connection)
        content, received = content + received[:size], received[size + 2 :]
        if not size:
            return content


def _more(connection: socket.socket) -> bytes:
    if not (part := connection.recv(1 << 18)):
        raise ConnectionResetError("the server ended the connection")
    return part


def _header(head: bytes, name: bytes) -> bytes:
    """The value of a header of a head in small letters; empty without one."""
    _, found, rest = head.partition(b"\r\n" + name + b":")
    return rest.partition(b"\r\n")[0].strip() if found else b""

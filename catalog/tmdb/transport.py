"""HTTP towards one fixed host, with every limit that a stranger's answer needs.

``requests``' read timeout starts anew with each byte, so a server that drips holds a thread for
ever. Here a timer shuts the socket when the whole exchange, headers too, takes too long.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from catalog.tmdb.errors import BadAnswerError, BusyError

_BLOCK = 64 << 10


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes that one exchange may take."""

    connect_s: float = 3.05
    read_s: float = 10.0
    total_s: float = 20.0
    max_bytes: int = 2 << 20


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Watch:
    """Shuts the socket of the exchange under way when its time is over."""

    def __init__(self, total_s: float) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self._is_ended = False
        self._timer = threading.Timer(total_s, self._shut)
        self._timer.daemon = True

    def start(self) -> None:
        self._timer.start()

    def guards(self, sock: socket.socket) -> None:
        with self._lock:
            self._sock = sock

    def end(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._is_ended = True
            self._sock = None

    def _shut(self) -> None:
        with self._lock:
            if self._is_ended:
                return
            self.is_over = True
            if self._sock is not None:
                try:
                    self._sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    # Closed already: that is what was wanted.
                    self._sock = None


# The exchange of this thread; connections are made far below, by urllib3.
_current = threading.local()


def _guard(sock: socket.socket | None) -> None:
    watch: _Watch | None = getattr(_current, "watch", None)
    if watch is not None and sock is not None:
        watch.guards(sock)


class _WatchedConnection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _guard(self.sock)
        super().request(*args, **kwargs)


class _WatchedTlsConnection(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _guard(self.sock)
        super().request(*args, **kwargs)


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


class _WatchedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTlsPool}


class Transport:
    """GET under ``base_url`` and nowhere else: no redirects, no proxies from the environment.

    Each thread keeps its own connection: a request on it says that the answer before was taken.
    """

    def __init__(self, base_url: str, *, limits: Limits | None = None) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            msg = f"{base_url!r} is no http(s) address"
            raise ValueError(msg)
        self._base_url = base_url.rstrip("/")
        self._limits = limits or Limits()
        self._local = threading.local()

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whatever its status.

        Raises ``BusyError`` where none came in time, ``BadAnswerError`` for one too big.
        """
        if not path.startswith("/") or path.startswith("//") or ".." in path:
            msg = f"{path!r} does not lie under the base address"
            raise ValueError(msg)
        watch = _Watch(self._limits.total_s)
        _current.watch = watch
        watch.start()
        try:
            return self._exchange(path, params or {}, headers or {})
        except (requests.RequestException, HTTPError, OSError) as error:
            if watch.is_over:
                msg = f"no whole answer within {self._limits.total_s:g} s"
            else:
                msg = f"no answer ({_root(error)})"
            raise BusyError(msg) from error
        finally:
            watch.end()
            _current.watch = None

    def close(self) -> None:
        """Close this thread's connection."""
        session = getattr(self._local, "session", None)
        if session is not None:
            session.close()
            del self._local.session

    def _exchange(self, path: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        limits = self._limits
        with self._session().get(
            self._base_url + path,
            params=dict(params),
            headers=dict(headers),
            timeout=(limits.connect_s, limits.read_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            length = response.headers.get("Content-Length", "")
            if length.isdigit() and int(length) > limits.max_bytes:
                raise BadAnswerError(f"an answer of {int(length):,} bytes was refused")
            body = bytearray()
            # read1 returns what is there; counted after unpacking, so no ZIP bomb passes.
            while block := response.raw.read1(_BLOCK, decode_content=True):
                body += block
                if len(body) > limits.max_bytes:
                    raise BadAnswerError(f"an answer over {limits.max_bytes:,} bytes was refused")
            if _watch_is_over():
                raise requests.Timeout
            return Answer(response.status_code, response.headers, bytes(body))

    def _session(self) -> requests.Session:
        session = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.headers["User-Agent"] = "Marquee"
            adapter = _WatchedAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            self._local.session = session
        return session


def _watch_is_over() -> bool:
    watch: _Watch | None = getattr(_current, "watch", None)
    return watch is not None and watch.is_over


def _root(error: BaseException) -> str:
    """The innermost cause says most: ConnectionResetError rather than ProtocolError."""
    while error.__context__ is not None:
        error = error.__context__
    return type(error).__name__

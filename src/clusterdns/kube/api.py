"""Requests to the API server. All HTTP of the project is here, and nothing else is.

Each watch has a connection and a thread of its own; `cut` and `close` end reads that are blocked, at once.
Knows HTTP and TLS. Must not know what is asked for.
"""

from __future__ import annotations

import os
import random
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import BoundedSemaphore, Event, Lock
from typing import NamedTuple
from urllib.parse import urlsplit

from clusterdns.kube.access import Access, AccessError, reason
from clusterdns.kube.decode import Status, status_of
from clusterdns.version import VERSION

USER_AGENT = f"clusterdns/{VERSION} (linux/{os.uname().machine})"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
ALIVE_SECONDS = 2.0
# A process that is busy is slow to answer, and ending its streams makes it busier; one that is stuck never answers.
MOST_SLOW = 3
# An API server that is idle sends a bookmark about once a minute, and whether it lives is asked on another connection.
STREAM_SECONDS = 660.0
# A connection that has been idle for longer may have been closed by anything on the way, which means nothing.
IDLE_SECONDS = 20.0
READ_SIZE = 65536
MOST_OF_A_REFUSAL = 65536
MOST_EXCHANGES = 1000


class Unreachable(Exception):
    """There was no answer, or it was cut; the message says why, for people."""


class Refused(Exception):
    """An answer that is not what was asked for."""

    def __init__(self, status: Status, retry_after: float = 0.0) -> None:
        super().__init__(status.message or status.reason or f"status {status.code}")
        self.status = status
        self.retry_after = max(retry_after, status.retry_after)


class Exchange(NamedTuple):
    """A request that has come to an end: its status (`<error>` where there was no answer), whom it was for, how many seconds it took until
    the head of the answer came, and for how many the limits held it up before (None: there are none).
    """

    code: str
    host: str
    seconds: float
    waited: float | None


class Stream:
    """The body of an answer that goes on. Read by one thread; `cut` may come from any other.

    It is silent while somebody waits for what comes next, and only then: a reader who is busy elsewhere says nothing about the server.
    """

    def __init__(self, connection: HTTPConnection, response: HTTPResponse, done: Callable[[Stream], None]) -> None:
        self._connection = connection
        self._response = response
        # Kept here, as http.client forgets the socket when it hands it to the response.
        self._socket = connection.sock
        self._done = done
        self._waiting_since = float("inf")

    def read(self) -> bytes:
        """What has come, as soon as something has; empty at a proper end. Raises `Unreachable`."""
        self._waiting_since = time.monotonic()
        try:
            return self._response.read1(READ_SIZE)
        except (OSError, HTTPException, ValueError, AttributeError) as why:
            raise Unreachable(f"the stream was cut: {_words(why)}") from why
        finally:
            self._waiting_since = float("inf")

    def silent(self, seconds: float) -> bool:
        """Whether nothing has come for so long."""
        return time.monotonic() - self._waiting_since >= seconds

    def cut(self) -> None:
        """Ends a read that is blocked."""
        _shut(self._socket)

    def close(self) -> None:
        """Lets go of the connection."""
        self._done(self)
        self._response.close()
        self._connection.close()
        self._socket.close()


class Api:
    """One API server, found by `find` anew for each connection, as files change. `qps`, `burst`, `inflight`: limits, 0 for none."""

    def __init__(self, find: Callable[[], Access], qps: float = 0.0, burst: int = 0, inflight: int = 0) -> None:
        self._find = find
        self._allowance = Allowance(qps, burst, self.rest) if qps > 0 else None
        self._inflight: AbstractContextManager[object] = BoundedSemaphore(inflight) if inflight > 0 else nullcontext()
        self._streams: set[Stream] = set()
        self._kept: _Kept | None = None
        self._slow = 0
        self._host = ""
        self._lock = Lock()
        self._closing = Event()
        self.exchanges: deque[Exchange] = deque(maxlen=MOST_EXCHANGES)
        """Requests that have come to an end, for whoever counts them."""

    @property
    def closed(self) -> bool:
        """Whether nothing is asked any more."""
        return self._closing.is_set()

    def get(self, path: str) -> bytes:
        """The whole answer to a request. Raises `Unreachable`, `Refused`."""
        connection, response = self._request(path, ANSWER_SECONDS)
        try:
            return response.read()
        except (OSError, HTTPException, ValueError) as why:
            raise Unreachable(f"the answer was cut: {_words(why)}") from why
        finally:
            response.close()
            connection.close()

    def stream(self, path: str) -> Stream:
        """An answer that goes on. Raises `Unreachable`, `Refused`."""
        stream = Stream(*self._request(path, STREAM_SECONDS), self._forget)
        with self._lock:
            self._streams.add(stream)
        if self.closed:
            stream.cut()
        return stream

    def silent(self, seconds: float) -> bool:
        """Whether one of the streams has been silent for so long."""
        with self._lock:
            return any(stream.silent(seconds) for stream in self._streams)

    def alive(self) -> bool:
        """Whether the process that answered the last time still answers: any answer counts.

        The connection is kept. When it is gone, so is the process, even if another one (behind the same address) has taken its place,
        and the streams that it holds open will say nothing more.
        """
        if self._kept is not None and time.monotonic() - self._kept.used > IDLE_SECONDS:
            self.hang_up()
        kept, self._kept = self._kept, None
        try:
            if kept is None:
                connection, access = self._connect(ALIVE_SECONDS)
                kept = _Kept(connection, _prefix(access))
        except Unreachable as why:
            return self._is_slow(why.__cause__)
        try:
            kept.connection.request("GET", f"{kept.prefix}/version", headers={"User-Agent": USER_AGENT})
            kept.connection.getresponse().read()
        except (OSError, HTTPException, ValueError) as why:
            kept.connection.close()
            return self._is_slow(why)
        kept.used = time.monotonic()
        self._slow = 0
        self._kept = kept
        return True

    def cut(self, seconds: float = 0.0) -> None:
        """Ends the streams that have been silent for so long, 0: all of them: whoever reads them finds out now."""
        with self._lock:
            for stream in self._streams:
                if not seconds or stream.silent(seconds):
                    stream.cut()

    def close(self) -> None:
        """Ends all streams for good."""
        self._closing.set()
        self.cut()

    def hang_up(self) -> None:
        """Lets go of the connection on which `alive` asks."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.connection.close()

    def rest(self, seconds: float) -> None:
        """Waits, but not for longer than until `close`."""
        self._closing.wait(seconds)

    def _is_slow(self, why: BaseException | None) -> bool:
        """Whether there was no answer in time, and not too often in a row."""
        self._slow = self._slow + 1 if isinstance(why, TimeoutError) else MOST_SLOW
        return self._slow < MOST_SLOW

    def _forget(self, stream: Stream) -> None:
        with self._lock:
            self._streams.discard(stream)

    def _request(self, path: str, patience: float) -> tuple[HTTPConnection, HTTPResponse]:
        """Asks on a new connection, until the head of the answer has come; `patience` is for the rest of it."""
        waited = self._allowance.take() if self._allowance is not None else None
        code, began = "<error>", time.monotonic()
        try:
            asked = self._ask(path, patience)
            code = "200"
            return asked
        except Refused as refused:
            code = str(refused.status.code)
            raise
        finally:
            self.exchanges.append(Exchange(code, self._host, time.monotonic() - began, waited))

    def _ask(self, path: str, patience: float) -> tuple[HTTPConnection, HTTPResponse]:
        with self._inflight:
            connection, access = self._connect(CONNECT_SECONDS)
            try:
                headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
                if authorization := access.credentials.authorization():
                    headers["Authorization"] = authorization
                plain = connection.sock
                plain.settimeout(ANSWER_SECONDS)
                connection.request("GET", _prefix(access) + path, headers=headers)
                response = connection.getresponse()
                if response.status == 200:
                    plain.settimeout(patience)
                    return connection, response
                refused = _refused(response)
            except AccessError as why:
                connection.close()
                raise Unreachable(str(why)) from why
            except (OSError, HTTPException, ValueError) as why:
                connection.close()
                raise Unreachable(f"no answer from {access.server}: {_words(why)}") from why
            connection.close()
            if refused.status.code == 401:
                access.credentials.refused()
            raise refused

    def _connect(self, patience: float) -> tuple[HTTPConnection, Access]:
        """A connection that is ready for requests. Raises `Unreachable`."""
        if self.closed:
            raise Unreachable("closed")
        try:
            access = self._find()
            to = urlsplit(access.server)
            if to.scheme not in ("http", "https") or not to.hostname:
                raise AccessError(f"`{access.server}` is no URL of an API server: write http(s)://HOST[:PORT]")
            self._host = to.netloc.rpartition("@")[2]
            context = access.tls() if to.scheme == "https" else None
            port = to.port or (443 if context else 80)
        except (AccessError, ValueError) as why:
            raise Unreachable(str(why)) from why
        connection = HTTPConnection(to.hostname, port, timeout=patience)
        try:
            plain = socket.create_connection((to.hostname, port), patience)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            try:
                connection.sock = context.wrap_socket(plain, server_hostname=access.server_name or to.hostname) if context else plain
            except BaseException:
                plain.close()
                raise
        except (OSError, ValueError) as why:
            raise Unreachable(f"no connection to {access.server}: {_words(why)}") from why
        return connection, access


class Allowance:
    """At most `qps` requests a second, and `burst` at once (`apiserver_qps`, `apiserver_burst`)."""

    def __init__(self, qps: float, burst: int, rest: Callable[[float], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / qps
        self._ahead = max(burst - 1, 0) * self._interval
        self._rest = rest
        self._clock = clock
        self._next = 0.0
        self._lock = Lock()

    def take(self) -> float:
        """Waits until there may be one more request; gives for how many seconds."""
        with self._lock:
            now = self._clock()
            at = max(self._next, now - self._ahead)
            self._next = at + self._interval
        if at > now:
            self._rest(at - now)
        return at - now


def watch_over(api: Api, interval: float, chance: Callable[[float, float], float] = random.uniform) -> None:
    """While streams are silent, asks now and then whether the API server lives; if it does not, ends them. Until `close`.

    A stream on which something comes is left alone: after a restart the process that is gone is another one than that which lists.
    """
    quiet = interval * 0.8
    while not api.closed:
        api.rest(interval * chance(0.8, 1.0))
        if not api.closed and api.silent(quiet) and not api.alive():
            api.cut(quiet)
    api.hang_up()


class _Kept:
    """The connection on which `alive` asks, and when it was used."""

    def __init__(self, connection: HTTPConnection, prefix: str) -> None:
        self.connection = connection
        self.prefix = prefix
        self.used = time.monotonic()


def _prefix(access: Access) -> str:
    """The path that API servers behind a proxy have in front of theirs."""
    return urlsplit(access.server).path.rstrip("/")


def _refused(response: HTTPResponse) -> Refused:
    """A refusal from its status line, body and `Retry-After`."""
    status = status_of(response.read(MOST_OF_A_REFUSAL))
    if status.code != response.status:
        status = Status(code=response.status, reason=response.reason, message=status.message, metadata=status.metadata)
    after = response.getheader("Retry-After", "")
    return Refused(status, float(after) if after.isdecimal() else 0.0)


def _shut(sock: socket.socket) -> None:
    """Shuts a socket down below TLS, whose state belongs to the thread that reads."""
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _words(why: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(why, TimeoutError):
        return "timed out"
    message = getattr(why, "verify_message", "")
    return f"its certificate is not trusted: {message}" if message else reason(why)

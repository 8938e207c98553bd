"""An API server made for tests: it holds objects and serves lists and watches of them, or misbehaves as a test has scripted.

    server.put("services", object) / server.delete("services", "shop", "cart")     what happens in the cluster
    server.script["services"] += [refuse(403, BODY), stream(LINES, cut)]            the next answers for this kind, in order

Over real HTTP on loopback. Whatever it does it was seen to do by a real one (tests/faults/recordings), or could.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from ssl import SSLContext
from threading import Condition, Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from clusterdns.records.selectors import matches, parse_selector

RECORDINGS = Path(__file__).parent / "recordings"
SHAPES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "namespaces": ("Namespace", "v1", {"spec": {}, "status": {}}),
    "services": ("Service", "v1", {"spec": {}, "status": {"loadBalancer": {}}}),
    "endpointslices": ("EndpointSlice", "discovery.k8s.io/v1", {"addressType": "", "endpoints": None, "ports": None}),
    "pods": ("Pod", "v1", {"spec": {"containers": None}, "status": {}}),
    "serviceimports": ("ServiceImport", "multicluster.x-k8s.io/v1alpha1", {}),
}
FINISHED = ("Succeeded", "Failed", "Unknown")

Object = dict[str, Any]
Answer = Callable[["Request"], None]


def recorded(name: str) -> bytes:
    """What a real API server said."""
    path = RECORDINGS / name
    return path.read_bytes() if path.exists() else gzip.decompress(path.with_name(f"{name}.gz").read_bytes())


def refuse(code: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer with another status than 200."""
    return lambda request: request.whole(code, body, **{name.replace("_", "-"): value for name, value in headers.items()})


def page(body: bytes) -> Answer:
    """A whole answer."""
    return lambda request: request.whole(200, body)


def stream(lines: Iterable[bytes] | bytes, end: Callable[[Request], None] | None = None) -> Answer:
    """An answer that goes on with these lines, and ends in a certain way: properly, if nothing else is said."""

    def answer(request: Request) -> None:
        request.begin()
        for line in [lines] if isinstance(lines, bytes) else lines:
            request.chunk(line)
        (end or Request.end)(request)

    return answer


class Request(BaseHTTPRequestHandler):
    """One request, and the ways to answer it."""

    protocol_version = "HTTP/1.1"
    server: ApiServer

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        """Answers as scripted, or as an API server that is well."""
        self.server.requests.append((self.path, dict(self.headers)))
        plural = urlsplit(self.path).path.rpartition("/")[2]
        script = self.server.script[plural]
        answer = script.popleft() if script else self.server.answer
        with suppress(ConnectionError):
            answer(self)

    def whole(self, code: int, body: bytes, **headers: str) -> None:
        """Everything at once."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin(self) -> None:
        """The head of an answer that goes on."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        """A part of it."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """Its proper end."""
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def cut(self) -> None:
        """The connection ends in the middle, which looks like an end."""
        self.close_connection = True

    def reset(self) -> None:
        """The process was killed."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def hang(self) -> None:
        """Nothing more is said, and the connection stays."""
        self.server.hanging.set()
        self.server.stopping.wait()
        self.close_connection = True


class ApiServer(ThreadingTCPServer):
    """The server: what it holds, what it is to answer next, and what it was asked."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int] = ("127.0.0.1", 0), tls: SSLContext | None = None) -> None:
        super().__init__(address, Request)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.script: dict[str, deque[Answer]] = defaultdict(deque)
        self.objects: dict[str, dict[tuple[str, str], Object]] = {plural: {} for plural in SHAPES}
        self.history: list[tuple[int, str, str, Object]] = []
        self.version = 100
        self.compacted = 0
        self.changed = Condition()
        self.stopping = Event()
        self.hanging = Event()
        self.watches = 0

    def __enter__(self) -> ApiServer:
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        with self.changed:
            self.changed.notify_all()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go away whenever they like."""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def paths(self) -> list[str]:
        """What it was asked."""
        return [path for path, _ in self.requests]

    def put(self, plural: str, thing: Object) -> None:
        """An object is made, or changed."""
        kind, api_version, _ = SHAPES[plural]
        key = (thing["metadata"].get("namespace", ""), thing["metadata"]["name"])
        with self.changed:
            self.version += 1
            whole = thing | {"kind": kind, "apiVersion": api_version}
            whole["metadata"] = thing["metadata"] | {"resourceVersion": str(self.version)}
            type_ = "MODIFIED" if key in self.objects[plural] else "ADDED"
            self.objects[plural][key] = whole
            self.history.append((self.version, plural, type_, whole))
            self.changed.notify_all()

    def delete(self, plural: str, namespace: str, name: str) -> None:
        """An object is deleted."""
        with self.changed:
            self.version += 1
            gone = self.objects[plural].pop((namespace, name))
            gone = gone | {"metadata": gone["metadata"] | {"resourceVersion": str(self.version)}}
            self.history.append((self.version, plural, "DELETED", gone))
            self.changed.notify_all()

    def compact(self) -> None:
        """Forgets what has happened: whoever wants to go on from before has to list again."""
        with self.changed:
            self.compacted = self.version
            self.history.clear()

    def answer(self, request: Request) -> None:
        """As an API server that is well."""
        to = urlsplit(request.path)
        asked = {name: values[-1] for name, values in parse_qs(to.query).items()}
        plural = to.path.rpartition("/")[2]
        if plural not in SHAPES:
            return request.whole(200, b"{}")
        if "watch" in asked:
            return self._watch(request, plural, asked)
        items = [self._bare(thing) for thing in self._wanted(plural, asked)]
        start = int(asked.get("continue", "0"))
        limit = int(asked.get("limit", "0")) or len(items) or 1
        more = str(start + limit) if start + limit < len(items) else ""
        metadata = {"resourceVersion": str(self.version)} | ({"continue": more} if more else {})
        return request.whole(200, json.dumps({"kind": "List", "metadata": metadata, "items": items[start : start + limit]}).encode())

    def _watch(self, request: Request, plural: str, asked: dict[str, str]) -> None:
        with self.changed:
            at = int(asked.get("resourceVersion") or self.version)
            initial = self._wanted(plural, asked) if "sendInitialEvents" in asked else []
            known = {self._key(thing) for thing in self._wanted(plural, asked)} if "sendInitialEvents" in asked else set()
            self.watches += 1
            self.changed.notify_all()
        request.begin()
        if at < self.compacted:
            status = {"kind": "Status", "metadata": {}, "status": "Failure", "reason": "Expired", "code": 410, "message": "too old"}
            request.chunk(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
            return request.end()
        for thing in initial:
            request.chunk(json.dumps({"type": "ADDED", "object": thing}).encode() + b"\n")
        if "sendInitialEvents" in asked:
            request.chunk(bookmark(plural, at, ends=True))
        while not self.stopping.is_set():
            with self.changed:
                while not self.stopping.is_set() and not (self.history and self.history[-1][0] > at):
                    self.changed.wait()
                events = [event for event in self.history if event[0] > at]
                at = max(at, self.version)
            for _, event_plural, type_, thing in events:
                if event_plural != plural:
                    continue
                # Whoever leaves the selector is told of as deleted.
                fits = self._fits(thing, asked)
                if type_ != "DELETED" and not fits:
                    if self._key(thing) not in known:
                        continue
                    type_ = "DELETED"
                known.add(self._key(thing))
                request.chunk(json.dumps({"type": type_, "object": thing}).encode() + b"\n")
        return None

    def _wanted(self, plural: str, asked: dict[str, str]) -> list[Object]:
        with self.changed:
            return [thing for _, thing in sorted(self.objects[plural].items()) if self._fits(thing, asked)]

    def _fits(self, thing: Object, asked: dict[str, str]) -> bool:
        labels = thing["metadata"].get("labels") or {}
        alive = "fieldSelector" not in asked or thing.get("status", {}).get("phase") not in FINISHED
        return alive and matches(parse_selector(asked.get("labelSelector", "")), labels)

    def _key(self, thing: Object) -> tuple[str, str]:
        return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]

    def _bare(self, thing: Object) -> Object:
        """Items of lists have no kind."""
        return {name: value for name, value in thing.items() if name not in ("kind", "apiVersion")}


def bookmark(plural: str, version: int, *, ends: bool = False) -> bytes:
    """A bookmark, with the empty object that it comes with."""
    kind, api_version, rest = SHAPES[plural]
    metadata: Object = {"resourceVersion": str(version)}
    if ends:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    thing = {"kind": kind, "apiVersion": api_version, "metadata": metadata, **rest}
    return json.dumps({"type": "BOOKMARK", "object": thing}).encode() + b"\n"

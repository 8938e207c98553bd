"""A scripted upstream: UDP and TCP (or TLS) on one port. It replies as its rules say, and tells what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.opcode
import dns.rdataclass
import dns.rdatatype

from tests.behaviour.messages import edns_told, flag_names
from tests.behaviour.replies import matches, prepare, reply_wire
from tests.behaviour.scenario import Document, Rule, UpstreamSpec

HOST = "127.0.0.1"
HANDSHAKE = 3.0
HEALTH_CHECK = ". NS"
FIRST_PART = 7
"""How much of a slow TCP reply comes first: its length, and a part of its header."""
REFUSED = Rule(rcode="REFUSED")


@dataclass(frozen=True)
class Client:
    """Where a query came from, and the way back."""

    proto: str
    port: int
    write: Callable[[bytes], None]
    close: Callable[[], None]

    def framed(self, wire: bytes) -> bytes:
        """A message as this protocol carries it (RFC 1035 4.2.2)."""
        return wire if self.proto == "udp" else struct.pack("!H", len(wire)) + wire


class Upstream:
    """A server that lives on one event loop. `certificate`: the folder with `cert.pem` and `key.pem`."""

    def __init__(self, spec: UpstreamSpec, port: int, certificate: Path) -> None:
        self._spec = spec
        self._port = port
        self._tls = self._context(certificate) if spec.tls else None
        self._matched: Counter[int] = Counter()
        self.follow(spec.rules)
        self._events: list[Document] = []
        self._sockets: dict[tuple[str, int], int] = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._timers: list[asyncio.TimerHandle] = []

    def follow(self, rules: tuple[Rule, ...]) -> None:
        """Reply by these rules from now on."""
        self._rules = rules
        self._matched.clear()
        for rule in rules:
            prepare(rule)

    async def up(self) -> None:
        """Can be reached from now on."""
        if self._spec.udp and self._udp is None:
            loop = asyncio.get_running_loop()
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._receive), (HOST, self._port))
        if self._spec.tcp and self._tcp is None:
            self._tcp = await asyncio.start_server(self._serve, HOST, self._port)

    def down(self) -> None:
        """Cannot be reached any more: its port refuses, its connections are closed, what it was about to reply is lost."""
        for transport in (self._udp, self._tcp, *self._connections):
            if transport is not None:
                transport.close()
        for timer in self._timers:
            timer.cancel()
        self._udp = self._tcp = None
        self._timers.clear()

    @property
    def count(self) -> int:
        """How many events there are to take, health checks aside."""
        return sum(event.get("q") != HEALTH_CHECK for event in self._events)

    def taken(self) -> list[Document]:
        """What it was asked since the last time."""
        events, self._events = self._events, []
        return events

    def _context(self, certificate: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        context.sni_callback = lambda _socket, name, _context: self._events.append({"proto": "tls", "sni": name})
        return context

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until one side closes it."""
        self._connections.add(writer)
        client = Client("tls" if self._tls else "tcp", writer.get_extra_info("peername")[1], writer.write, writer.close)
        try:
            if self._tls is not None:
                await self._shake_hands(writer, self._tls)
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                self._receive(await reader.readexactly(length), client)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _shake_hands(self, writer: asyncio.StreamWriter, tls: ssl.SSLContext) -> None:
        try:
            await writer.start_tls(tls, ssl_handshake_timeout=HANDSHAKE)
        except OSError:
            self._events.append({"proto": "tls", "handshake": "failed"})
            raise

    def _receive(self, wire: bytes, client: Client) -> None:
        """Keep what was asked, and reply by the first rule that matches."""
        try:
            query = dns.message.from_wire(wire, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError):
            self._events.append({"proto": client.proto, "unparsed": wire.hex()})
            return
        self._events.append(self._told(query, client))
        rule = self._rule_for(query)
        if rule.close:
            client.close()
        elif not rule.drop:
            data = client.framed(reply_wire(rule, query, client.proto))
            self._after(rule.delay_ms, lambda: self._reply(data, rule, client))

    def _told(self, query: dns.message.Message, client: Client) -> Document:
        """A query as the recordings tell it. `sock`: which of the server's sockets, by the order of their first queries."""
        entry = query.question[0] if query.question else None
        text = f"{entry.name} {dns.rdatatype.to_text(entry.rdtype)}" if entry is not None else ""
        told: Document = {"proto": client.proto, "q": text, "flags": flag_names(query.flags, ("rd", "ad", "cd"))}
        if text != HEALTH_CHECK:
            earlier = sum(proto == client.proto for proto, _ in self._sockets)
            told["sock"] = self._sockets.setdefault((client.proto, client.port), earlier + 1)
        if entry is not None and entry.rdclass != dns.rdataclass.IN:
            told["class"] = dns.rdataclass.to_text(entry.rdclass)
        if query.opcode():
            told["opcode"] = dns.opcode.to_text(query.opcode())
        return told | {"edns": edns_told(query)}

    def _rule_for(self, query: dns.message.Message) -> Rule:
        for number, rule in enumerate(self._rules):
            if matches(rule, query) and (rule.times is None or self._matched[number] < rule.times):
                self._matched[number] += 1
                return rule
        return REFUSED

    def _reply(self, data: bytes, rule: Rule, client: Client) -> None:
        if rule.slow_tcp_ms and client.proto != "udp":
            client.write(data[:FIRST_PART])
            self._after(rule.slow_tcp_ms, lambda: client.write(data[FIRST_PART:]))
            return
        for _ in range(2 if rule.twice else 1):
            client.write(data)
        if rule.close_after:
            client.close()

    def _after(self, milliseconds: int, do: Callable[[], None]) -> None:
        if milliseconds:
            self._timers.append(asyncio.get_running_loop().call_later(milliseconds / 1000, do))
        else:
            do()


class _Datagrams(asyncio.DatagramProtocol):
    """The UDP side."""

    def __init__(self, receive: Callable[[bytes, Client], None]) -> None:
        self._receive = receive

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._receive(data, Client("udp", address[1], lambda reply: self._transport.sendto(reply, address), lambda: None))

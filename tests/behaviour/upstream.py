"""A scripted upstream on sockets: UDP and TCP (or TLS) on one port."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.behaviour.scenario import Rule, UpstreamSpec
from tests.behaviour.script import Script

HOST = "127.0.0.1"
HANDSHAKE = 3.0
FIRST_PART = 7
"""How much of a slow TCP reply comes first: its length, and a part of its header."""


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

    def __init__(self, spec: UpstreamSpec, port: int, certificate: Path, host: str = HOST) -> None:
        self.script = Script(spec.rules)
        self._spec = spec
        self._address = (host, port)
        self._tls = self._context(certificate) if spec.tls else None
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._timers: list[asyncio.TimerHandle] = []
        self._tasks: set[asyncio.Task[None] | None] = set()
        self._handshake = asyncio.Lock()

    async def up(self) -> None:
        """Can be reached from now on."""
        if self._spec.udp and self._udp is None:
            loop = asyncio.get_running_loop()
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self._receive), self._address)
        if self._spec.tcp and self._tcp is None:
            self._tcp = await asyncio.start_server(self._serve, *self._address)

    def down(self) -> None:
        """Cannot be reached any more: its port refuses, its connections are closed, what it was about to reply is lost."""
        for transport in (self._udp, self._tcp, *self._connections):
            if transport is not None:
                transport.close()
        for timer in self._timers:
            timer.cancel()
        self._udp = self._tcp = None
        self._timers.clear()

    async def close(self) -> None:
        """Nothing of it is left after this."""
        self.down()
        await asyncio.gather(*(task for task in self._tasks if task is not None), return_exceptions=True)

    def _context(self, certificate: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        context.sni_callback = lambda _socket, name, _context: self.script.note({"proto": "tls", "sni": name})
        return context

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until one side closes it."""
        self._connections.add(writer)
        self._tasks.add(asyncio.current_task())
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
            self._tasks.discard(asyncio.current_task())
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _shake_hands(self, writer: asyncio.StreamWriter, tls: ssl.SSLContext) -> None:
        """One at a time, as when it was recorded: what two connections tell is not mixed."""
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)
        # What comes meanwhile is for TLS.
        transport.pause_reading()
        try:
            async with self._handshake:
                await writer.start_tls(tls, ssl_handshake_timeout=HANDSHAKE)
        except OSError:
            self.script.note({"proto": "tls", "handshake": "failed"})
            raise

    def _receive(self, wire: bytes, client: Client) -> None:
        rule, reply = self.script.reply(wire, client.proto, client.port)
        if rule.close:
            client.close()
        elif not rule.drop:
            self._after(rule.delay_ms, lambda: self._reply(client.framed(reply), rule, client))

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

"""Questions to the server as the steps ask them: one, one after the other, at once, in one write."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from tests.behaviour.messages import query_wire, told
from tests.behaviour.placeholders import Placeholders
from tests.behaviour.scenario import SLOW, Burst, Document, Query, Repeat, Stream, Timed

FIRST_QUERY, FIRST_OF_BURST, FIRST_OF_STREAM, FIRST_TIMED = 1001, 2000, 3000, 4000
"""The ids of questions: log lines tell them."""
STREAM_PATIENCE = 3.0


class Client:
    """Asks the server of one play. Its source ports become `${CLIENT}`."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._next = FIRST_QUERY

    async def ask(self, query: Query) -> Document:
        """The step `query`."""
        return {"result": await self._ask_next(query)}

    async def repeat(self, repeat: Repeat) -> Document:
        """The step `repeat`: a short line for each reply."""
        return repeated(repeat, [await self._ask_next(numbered(repeat.query, number)) for number in range(repeat.n)])

    async def burst(self, burst: Burst) -> Document:
        """The step `burst`."""
        asked = (self._ask(numbered(burst.query, number), FIRST_OF_BURST + number) for number in range(burst.n))
        return counted(await asyncio.gather(*asked))

    async def timed(self, questions: tuple[Timed, ...]) -> Document:
        """The step `async`: the replies in the order of the questions."""

        async def one(number: int, question: Timed) -> Document:
            await asyncio.sleep(question.at_ms / 1000)
            return await self._ask(question.query, FIRST_TIMED + number)

        return {"results": await asyncio.gather(*(one(number, question) for number, question in enumerate(questions)))}

    async def stream(self, stream: Stream) -> Document:
        """The step `tcp`: replies in the order of their arrival, and how the connection ended."""
        started = _now()
        results: list[Document] = []
        wires = [query_wire(query, FIRST_OF_STREAM + number) for number, query in enumerate(stream.queries)]
        try:
            async with self._connection(Query()) as (reader, writer):
                writer.write(b"".join(map(_framed, wires)))
                async with asyncio.timeout(STREAM_PATIENCE):
                    for _ in wires:
                        wire = await _framed_message(reader)
                        number = int.from_bytes(wire[:2], "big")
                        results.append({"query": number - FIRST_OF_STREAM, "result": told(wire, number)})
                if stream.then_wait_close:
                    started = _now()
                    async with asyncio.timeout(stream.then_wait_close):
                        more = await reader.read(1)
                    results.append({"event": "more data" if more else "closed by server", "after_s": _since(started)})
        except asyncio.IncompleteReadError:
            results.append({"event": "closed by server", "after_s": _since(started)})
        except OSError as problem:
            results.append({"event": _why(problem)})
        return {"results": results}

    async def _ask_next(self, query: Query) -> Document:
        number, self._next = self._next, self._next + 1
        return await self._ask(query, number)

    async def _ask(self, query: Query, number: int) -> Document:
        """The reply to one question, or why there is none."""
        wire, started = query_wire(query, number), _now()
        try:
            async with asyncio.timeout(query.timeout):
                reply = await (self._over_udp(query, wire) if query.proto == "udp" else self._over_tcp(query, wire))
            took = _now() - started
            answer = told(reply, number)
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as problem:
            took = _now() - started
            answer = {"error": _why(problem)}
        return with_time(answer, took)

    async def _over_udp(self, query: Query, wire: bytes) -> bytes:
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Reply(reply), remote_addr=(query.addr, self._placeholders.port(query.to)), local_addr=(_source(query), 0)
        )
        try:
            self._placeholders.clients.add(transport.get_extra_info("sockname")[1])
            transport.sendto(wire)
            return await reply
        finally:
            transport.close()

    async def _over_tcp(self, query: Query, wire: bytes) -> bytes:
        async with self._connection(query) as (reader, writer):
            writer.write(_framed(wire))
            return await _framed_message(reader)

    @asynccontextmanager
    async def _connection(self, query: Query) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection for a question, over TLS if it is to go over TLS."""
        context = _trusting_context() if query.proto == "tls" else None
        port = self._placeholders.port(query.to)
        reader, writer = await asyncio.open_connection(query.addr, port, local_addr=(_source(query), 0), ssl=context)
        try:
            self._placeholders.clients.add(writer.get_extra_info("sockname")[1])
            yield reader, writer
        finally:
            writer.close()


def _source(query: Query) -> str:
    """The address that it comes from."""
    return query.from_ or ("::1" if ":" in query.addr else "127.0.0.1")


def _trusting_context() -> ssl.SSLContext:
    """TLS to whoever answers: the certificates of scenarios are self-signed."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Reply(asyncio.DatagramProtocol):
    """The first datagram that comes back, or the error of the socket."""

    def __init__(self, reply: asyncio.Future[bytes]) -> None:
        self._reply = reply

    def datagram_received(self, data: bytes, address: object) -> None:
        if not self._reply.done():
            self._reply.set_result(data)

    def error_received(self, problem: Exception) -> None:
        if not self._reply.done():
            self._reply.set_exception(problem)


def _framed(wire: bytes) -> bytes:
    """A message as TCP carries it (RFC 1035 4.2.2)."""
    return struct.pack("!H", len(wire)) + wire


async def _framed_message(reader: asyncio.StreamReader) -> bytes:
    """The next message of a connection."""
    (length,) = struct.unpack("!H", await reader.readexactly(2))
    return await reader.readexactly(length)


def _why(problem: Exception) -> str:
    """Why there is no reply, in the words of the recordings."""
    match problem:
        case TimeoutError():
            return "timeout"
        case asyncio.IncompleteReadError():
            return "closed"
    return type(problem).__name__


def numbered(query: Query, number: int) -> Query:
    """The question with its number in the place of `{i}`."""
    return msgspec.structs.replace(query, name=query.name.replace("{i}", str(number)))


def _short(reply: Document, with_flags: bool = False) -> str:
    """A reply in a line, for those that are counted."""
    if "error" in reply:
        return str(reply["error"])
    flags = f" {','.join(reply.get('flags', []))}" if with_flags else ""
    return f"{reply.get('rcode')}{flags}: {'; '.join(reply.get('answer', []))}"


def repeated(repeat: Repeat, replies: list[Document]) -> Document:
    """What the step `repeat` tells."""
    lines = [_short(reply) for reply in replies]
    return {"results": dict(Counter(lines)) if repeat.summary else lines}


def counted(replies: list[Document]) -> Document:
    """What the step `burst` tells: how often each reply came."""
    return {"results": dict(sorted(Counter(_short(reply, with_flags=True) for reply in replies).items()))}


def with_time(reply: Document, took: float) -> Document:
    """A reply with the time that it took, if that is worth telling."""
    return reply if took < SLOW else reply | {"took_s": round(took, 1)}


def _now() -> float:
    return asyncio.get_running_loop().time()


def _since(started: float) -> float:
    return round(_now() - started, 1)

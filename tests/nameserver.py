"""A name server for a test, as simple as can be: a function from queries to replies, over UDP on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from clusterdns.scalars import Endpoint

Answer = Callable[[dns.message.Message], Sequence[bytes]]
"""The messages that a query is answered with."""


@contextmanager
def name_server(answer: Answer, host: str = "127.0.0.1", port: int = 0, askers: list[str] | None = None) -> Iterator[Endpoint]:
    """A server that says this to each query over UDP, while it is there. `askers`: takes the addresses that queries came from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind((host, port))

        def serve() -> None:
            while True:
                wire, asker = here.recvfrom(4096)
                if not wire:
                    return
                if askers is not None:
                    askers.append(asker[0])
                for reply in answer(dns.message.from_wire(wire)):
                    here.sendto(reply, asker)

        serving = Thread(target=serve, daemon=True)
        serving.start()
        yield Endpoint(host, here.getsockname()[1])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", here.getsockname())
        serving.join()


def reply_with(*records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Answer:
    """Answers with those of these records whose type is asked for, and CNAMEs."""

    def answer(query: dns.message.Message) -> Sequence[bytes]:
        reply = dns.message.make_response(query)
        reply.set_rcode(rcode)
        for record in records:
            owner, rtype, data = record.split()
            if rtype in ("CNAME", dns.rdatatype.to_text(query.question[0].rdtype)):
                reply.answer.append(dns.rrset.from_text(owner, 60, "IN", rtype, data))
        return [reply.to_wire()]

    return answer

"""An upstream on loopback that says what a test wants, over UDP and TCP."""

from __future__ import annotations

import socketserver
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.servers import free_port


@dataclass(frozen=True)
class Says:
    """A reply: records as lines of a zone file, and whether it tells that there would be more."""

    rcode: str = "NOERROR"
    answer: Sequence[str] = ()
    truncated: bool = False


def record(line: str) -> dns.rrset.RRset:
    """`owner ttl IN type data`."""
    owner, ttl, *rest = line.split(" ", 4)
    return dns.rrset.from_text(owner, int(ttl), *rest)


@contextmanager
def upstream(says: dict[str, Says]) -> Iterator[int]:
    """Serves these replies by name until the block ends, REFUSED for all others; gives the port."""

    def reply(octets: bytes) -> bytes:
        query = dns.message.from_wire(octets)
        said = says.get(query.question[0].name.to_text(omit_final_dot=True).lower(), Says("REFUSED"))
        message = dns.message.make_response(query, recursion_available=True)
        message.set_rcode(dns.rcode.from_text(said.rcode))
        message.answer = [record(line) for line in said.answer]
        message.flags |= dns.flags.TC if said.truncated else 0
        return message.to_wire()

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            octets, sock = self.request
            sock.sendto(reply(octets), self.client_address)

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.read(2):
                octets = reply(self.rfile.read(*struct.unpack("!H", head)))
                self.wfile.write(struct.pack("!H", len(octets)) + octets)

    class Tcp(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with socketserver.UDPServer(("127.0.0.1", free_port()), Datagram) as udp, Tcp(udp.server_address, Connection) as tcp:
        for server in (udp, tcp):
            Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield udp.server_address[1]
        finally:
            for server in (udp, tcp):
                server.shutdown()

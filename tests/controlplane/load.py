"""Questions that are asked all the time, each of which has to be answered rightly."""

from __future__ import annotations

import socket
from collections import Counter
from threading import Event, Thread
from types import TracebackType

import dns.message
import dns.rcode
import dns.rdatatype

PATIENCE = 2.0


class Load:
    """Asks for these names in turn, as fast as they are answered, until it is left. `expected`: a name's address, or None: NXDOMAIN."""

    def __init__(self, port: int, expected: dict[str, str | None]) -> None:
        self.asked = 0
        self.lost = 0
        self.wrong: Counter[str] = Counter()
        self._port = port
        self._expected = expected
        self._over = Event()
        self._thread = Thread(target=self._ask_forever, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _ask_forever(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.connect(("127.0.0.1", self._port))
            udp.settimeout(PATIENCE)
            while not self._over.is_set():
                for name, address in self._expected.items():
                    query = dns.message.make_query(name, "A")
                    udp.send(query.to_wire())
                    self.asked += 1
                    try:
                        reply = dns.message.from_wire(udp.recv(65535))
                    except TimeoutError:
                        self.lost += 1
                        continue
                    said = [rdata.to_text() for rrset in reply.answer for rdata in rrset]
                    right = said == [address] if address else reply.rcode() == dns.rcode.NXDOMAIN
                    if not right or reply.id != query.id:
                        self.wrong[f"{name}: {dns.rcode.to_text(reply.rcode())} {said}"] += 1

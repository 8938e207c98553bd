"""The plugins alone, and in a server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import dns.message
import dns.query
import pytest

from clusterdns.plugin import Answer, Ask, Query
from examples.plugin.dashed import answer_dashed, move
from tests.server.process import launched
from tests.servers import free_port

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("10-0-0-1.dashed.example.org.", "A", ["10-0-0-1.dashed.example.org. 300 IN A 10.0.0.1"]),
        ("10-0-0-1.dashed.example.org.", "AAAA", []),
        ("2001-db8--1.dashed.example.org.", "AAAA", ["2001-db8--1.dashed.example.org. 300 IN AAAA 2001:db8::1"]),
    ],
)
def test_a_name_is_its_address(name: str, kind: str, records: list[str]) -> None:
    assert answer_dashed(Query(name, kind)) == Answer(records)


def test_other_names_are_not_ours() -> None:
    assert answer_dashed(Query("www.dashed.example.org.", "A")) is None


def test_only_clients_of_the_network_are_sent_elsewhere() -> None:
    plugin = move("192.0.2.0/24", "old.example.org.", "new.example.org.")
    query = Query("www.old.example.org.", "A", client="192.0.2.7")
    assert asyncio.run(plugin(query)) == Ask("www.new.example.org.")  # type: ignore[arg-type]
    assert asyncio.run(plugin(Query("www.old.example.org.", "A", client="198.51.100.7"))) is None  # type: ignore[arg-type]


def test_a_server_answers_with_them(tmp_path: Path) -> None:
    port = free_port()
    with launched(HERE, "-conf", "Corefile", "-dns.port", str(port), "-admin", f"unix:{tmp_path}/admin.sock", port=port):
        for name in ("10-0-0-1.dashed.example.org.", "10-0-0-1.old.example.org."):
            reply = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=port, timeout=10)
            assert [rrset.to_text() for rrset in reply.answer] == [f"{name} 60 IN A 10.0.0.1"]

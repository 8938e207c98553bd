"""`log`: a line for each query, as CoreDNS writes it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.server.process import served

LOGGED = """\
example.org:PORT {
    bind 127.0.0.1
    log quiet.example.org {
        class error
    }
    log . {combined}
    whoami
}
example.net:PORT {
    bind 127.0.0.1
    log . "{name} {type} {rcode} {/meta/data} {local}"
    kubernetes example.net {
        manifests nothing
    }
}
"""


def test_each_query_has_its_line(tmp_path: Path) -> None:
    with served(tmp_path, LOGGED) as server:
        server.ask("A.Example.ORG.", edns=0)
        line = server.lines[server.wait_for("a.example.org.") - 1]
        pattern = r'\[INFO\] 127\.0\.0\.1:\d+ - \d+ "A IN a\.example\.org\. udp 31 false 512" NOERROR qr,aa,rd 97 0\.[0-9]+s "0"'
        assert re.fullmatch(pattern, line), line
        server.ask("b.example.org.", "AAAA", tcp=True)
        line = server.lines[server.wait_for("b.example.org.") - 1]
        assert '"AAAA IN b.example.org. tcp 42 false 65535" NOERROR qr,aa,rd ' in line


def test_only_the_classes_and_zones_that_are_wanted_are_logged(tmp_path: Path) -> None:
    with served(tmp_path, LOGGED) as server:
        server.ask("a.quiet.example.org.")
        server.ask("not.served.")
        server.ask("x.example.net.", "TXT")
        seen = server.wait_for("[INFO] x.example.net. TXT NXDOMAIN - 127.0.0.1")
    assert not [line for line in server.lines[:seen] if "quiet" in line or "not.served" in line]

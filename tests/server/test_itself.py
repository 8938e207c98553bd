"""An upstream that is this server itself: the query ends where it comes back, and nobody else notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import serving

LINE = "asked by ourselves, as the upstream of this name is this server"


@pytest.mark.parametrize("options", ["", "force_tcp"])
@pytest.mark.parametrize("cache", ["", "cache"])
def test_a_query_that_comes_back_is_not_asked_again(options: str, cache: str, tmp_path: Path) -> None:
    forward = f"forward . 127.0.0.1:PORT {{\n{options}\n}}"
    blocks = f"self.test:PORT {{\nbind 127.0.0.1\nerrors\n{cache}\n{forward}\n}}\n"
    with serving(tmp_path, blocks + "example.org:PORT {\nbind 127.0.0.1\nwhoami\n}\n") as server:
        assert server.ask("a.self.test").rcode() == 2
        server.wait_for(LINE)
        assert server.ask("b.self.test", tcp=True).rcode() == 2
        assert server.ask("example.org").rcode() == 0
        assert sum(LINE in line for line in server.lines) <= 2


def test_where_loop_looks_for_them_they_go_on_until_it_has_seen_enough(tmp_path: Path) -> None:
    with serving(tmp_path, ".:PORT {\nbind 127.0.0.1\nerrors\nloop\nforward . 127.0.0.1:PORT\n}\n") as server:
        server.wait_for("[FATAL] plugin/loop: Loop (127.0.0.1:")
        assert not any(LINE in line for line in server.lines)

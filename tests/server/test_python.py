"""`python` in a server: what plugins do, and what they do wrong."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from textwrap import dedent

import dns.message
import dns.rcode

from tests.server.process import command, replace, served, write_corefile
from tests.server.test_health import with_ports
from tests.server.test_metrics import samples_of
from tests.servers import PATIENCE, free_port

COREFILE = """
.:PORT {
    bind 127.0.0.1
    errors
    cache
    python names:answer {
        timeout 300ms
    }
    whoami
}
"""


def plugin(directory: Path, body: str) -> None:
    """Writes names.py with a plugin of this body."""
    head = "import asyncio, threading\nfrom clusterdns.plugin import Answer, Ask, Query\n"
    replace(directory / "names.py", head + dedent(body))


def answers(reply: dns.message.Message) -> list[str]:
    return [rrset.to_text() for rrset in reply.answer]


def test_an_answer_is_given_and_kept_by_the_cache(tmp_path: Path) -> None:
    plugin(
        tmp_path,
        """
        asked = 0
        def answer(query):
            global asked
            asked += 1
            return Answer([f"{query.name} 300 IN TXT {query.client} {query.transport} {asked}"], cache=not query.name.startswith("live"))
        """,
    )
    with served(tmp_path, COREFILE) as running:
        first = [answers(running.ask("a.example.org.", "TXT")) for _ in range(2)]
        assert first == [['a.example.org. 300 IN TXT "127.0.0.1" "udp" "1"']] * 2
        live = [answers(running.ask("live.example.org.", "TXT"))[0][-3:] for _ in range(2)]
        assert live == ['"2"', '"3"']


def test_another_question_comes_back_under_the_name_that_was_asked(tmp_path: Path) -> None:
    corefile = COREFILE.replace("whoami", "python names:target")
    plugin(
        tmp_path,
        """
        async def answer(query):
            await asyncio.sleep(0)
            return Ask("target.example.net.")
        def target(query):
            return Answer([f"{query.name} 7 A 192.0.2.7"])
        """,
    )
    with served(tmp_path, corefile) as running:
        assert answers(running.ask("a.example.org.")) == ["a.example.org. 7 IN A 192.0.2.7"]


def test_what_goes_wrong_is_servfail_and_told_in_the_log(tmp_path: Path) -> None:
    plugin(
        tmp_path,
        """
        def answer(query):
            if query.name == "next.":
                return None
            if query.name == "hangs.":
                threading.Event().wait()
            if query.name == "nonsense.":
                return "1.2.3.4"
            raise LookupError("no such thing")
        """,
    )
    with served(tmp_path, COREFILE) as running:
        assert [running.ask(name).rcode() for name in ("raises.", "nonsense.", "hangs.")] == [dns.rcode.SERVFAIL] * 3
        running.wait_for("plugin/errors: 2 raises. A: plugin/python: names:answer: LookupError: no such thing (")
        running.wait_for("plugin/errors: 2 nonsense. A: plugin/python: names:answer: TypeError: a plugin returns an Answer, an Ask or None")
        running.wait_for("plugin/errors: 2 hangs. A: plugin/python: names:answer: no answer within 300 ms")
        assert running.ask("next.").rcode() == dns.rcode.NOERROR
        running.process.terminate()
        assert running.process.wait(PATIENCE) == 0, "a plugin that hangs keeps no process alive"


def test_failures_may_be_the_next_directives_turn(tmp_path: Path) -> None:
    plugin(tmp_path, "def answer(query):\n    raise LookupError\n")
    with served(tmp_path, COREFILE.replace("timeout 300ms", "on_failure next")) as running:
        assert running.ask("a.").rcode() == dns.rcode.NOERROR


def test_a_module_that_was_edited_is_taken_up_by_a_reload(tmp_path: Path) -> None:
    plugin(tmp_path, "def answer(query):\n    return Answer([f'{query.name} 0 A 192.0.2.1'], cache=False)\n")
    with served(tmp_path, COREFILE) as running:
        assert answers(running.ask("a."))[0].endswith("192.0.2.1")
        plugin(tmp_path, "def answer(query):\n    return Answer([f'{query.name} 0 A 192.0.2.2'], cache=False)\n")
        os.utime(tmp_path / "names.py", (1, 1))
        running.process.send_signal(signal.SIGUSR1)
        running.wait_for("Reloading complete")
        assert answers(running.ask("a."))[0].endswith("192.0.2.2")
        plugin(tmp_path, "def answer(query) this is no Python\n")
        running.process.send_signal(signal.SIGUSR1)
        running.wait_for("names:answer cannot be loaded: SyntaxError")
        assert answers(running.ask("a."))[0].endswith("192.0.2.2")


def test_a_plugin_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    for target, why in [("nosuch:f", "No module named 'nosuch'"), ("nosuch", "no installed package has a plugin of this name")]:
        write_corefile(tmp_path, COREFILE.replace("names:answer", target), 0)
        ended = command(tmp_path, "serve", "-conf", "Corefile", "-admin", f"unix:{tmp_path}/admin.sock")
        assert ended.returncode == 1
        assert f"plugin/python: {target} cannot be loaded" in ended.stderr
        assert why in ended.stderr


def test_explain_asks_it_too(tmp_path: Path) -> None:
    plugin(tmp_path, "def answer(query):\n    return Answer([f'{query.name} 9 A 192.0.2.9'])\n")
    with served(tmp_path, COREFILE):
        told = command(tmp_path, "explain", "a.example.org", "--server", f"unix:{tmp_path}/admin.sock").stdout
        assert "192.0.2.9" in told
        assert "names:answer" in told


def test_calls_are_counted_by_how_they_ended(tmp_path: Path) -> None:
    plugin(
        tmp_path,
        """
        def answer(query):
            match query.name:
                case "answered.":
                    return Answer([f"{query.name} 0 A 192.0.2.1"], cache=False)
                case "rewritten.":
                    return Ask("next.")
                case "error.":
                    raise LookupError
                case "deadline.":
                    threading.Event().wait()
        """,
    )
    metrics = free_port()
    with served(tmp_path, with_ports(COREFILE.replace("errors", "prometheus 127.0.0.1:METRICS"), METRICS=metrics)) as running:
        results = ("answered", "next", "rewritten", "error", "deadline")
        for result in ("answered", *results):
            running.ask(f"{result}.")
        calls = samples_of(metrics, "clusterdns_plugin_calls_total")
        assert {labels["result"]: count for labels, count in calls} == dict.fromkeys(results, 1) | {"answered": 2}
        assert {labels["function"] for labels, _ in calls} == {"names:answer"}
        [(_, seconds)] = samples_of(metrics, "clusterdns_plugin_call_duration_seconds_sum")
        assert 0.3 <= seconds < PATIENCE

"""`explain`: from words to one request, and from the reply to text or JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from clusterdns.admin_socket import AdminError
from clusterdns.cli import explain

REPLY = {
    "name": "a.test.",
    "type": "A",
    "rcode": "NXDOMAIN",
    "flags": ["qr"],
    "size": 24,
    "nanoseconds": 1000,
    "listener": ":53",
    "answer": [],
    "authority": [],
    "additional": [],
    "steps": [],
    "origins": [],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What the admin socket was asked, and where."""
    requests: list[tuple[str, Any]] = []

    def ask(path: str, request: Any) -> Any:
        requests.append((path, request["explain"]))
        return REPLY

    monkeypatch.setattr(explain, "ask", ask)
    monkeypatch.setattr(explain, "default_path", lambda server: f"/run/clusterdns/{server}.sock")
    return requests


def test_a_name_alone_asks_for_its_address_at_the_default_server(asked: list[tuple[str, Any]]) -> None:
    outcome = CliRunner().invoke(explain.command, ["a.test"])
    assert (outcome.exit_code, outcome.stdout) == (0, "a.test. A: NXDOMAIN (qr), 24 octets, 1 µs\nbecause\n  listener    :53\n")
    assert asked == [("/run/clusterdns/serve.sock", {"name": "a.test", "type": "A", "client": None, "listener": None, "tcp": False})]


def test_every_option_is_passed_on(asked: list[tuple[str, Any]]) -> None:
    words = "a.test srv --server unix:/x.sock --client 10.0.0.1 --listener :53 --tcp -o json"
    outcome = CliRunner().invoke(explain.command, words.split())
    assert json.loads(outcome.stdout) == REPLY
    assert asked == [("/x.sock", {"name": "a.test", "type": "srv", "client": "10.0.0.1", "listener": ":53", "tcp": True})]


def test_a_server_that_refuses_is_one_line_and_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, request: object) -> None:
        raise AdminError("no such listener")

    monkeypatch.setattr(explain, "ask", refuse)
    outcome = CliRunner().invoke(explain.command, ["a.test"])
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (1, "", "clusterdns explain: no such listener\n")


@pytest.mark.parametrize("words", [[], ["a.test", "A", "more"], ["a.test", "-o", "yaml"], ["a.test", "--nosuch"]])
def test_usage(words: list[str]) -> None:
    assert CliRunner().invoke(explain.command, words).exit_code == 2

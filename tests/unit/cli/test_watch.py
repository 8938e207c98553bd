"""`watch`: a line for each query, until the server or the reader goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from clusterdns.admin_socket import AdminError
from clusterdns.cli import watch

REPLY: dict[str, Any] = {
    "name": "a.test.",
    "type": "A",
    "rcode": "REFUSED",
    "answer": [],
    "origins": [],
    "place": None,
    "line": None,
    "nanoseconds": 1000,
}


def says(monkeypatch: pytest.MonkeyPatch, *replies: Any) -> list[str]:
    """Makes the admin socket say this, an exception among it too; gives the paths that were asked."""
    paths: list[str] = []

    def stream(path: str, request: object) -> Iterator[Any]:
        assert request == {"watch": {}}
        paths.append(path)
        for reply in replies:
            if isinstance(reply, BaseException):
                raise reply
            yield reply

    monkeypatch.setattr(watch, "stream", stream)
    return paths


def test_a_line_for_each_query(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = says(monkeypatch, REPLY, REPLY)
    outcome = CliRunner().invoke(watch.command, ["--server", "unix:/x.sock"])
    assert (outcome.exit_code, outcome.stdout) == (0, "a.test. A | REFUSED | 1 µs\n" * 2)
    assert paths == ["/x.sock"]


def test_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, REPLY)
    assert json.loads(CliRunner().invoke(watch.command, ["-o", "json"]).stdout) == REPLY


def test_an_error_is_one_line_and_1(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, AdminError("no server"))
    outcome = CliRunner().invoke(watch.command, [])
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (1, "", "clusterdns watch: no server\n")


def test_who_has_seen_enough_ends_it_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, REPLY, KeyboardInterrupt())
    outcome = CliRunner().invoke(watch.command, [])
    assert (outcome.exit_code, outcome.stderr) == (0, "")

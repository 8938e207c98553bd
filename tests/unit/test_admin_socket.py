"""The admin socket from outside, against a server that says what the test wants."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from clusterdns import admin_socket
from clusterdns.admin_socket import AdminError, ask, default_path, path_of, stream


@contextmanager
def answering(path: Path, text: bytes) -> Iterator[list[bytes]]:
    """A socket that answers its first request with this and closes; gives what it was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer() -> None:
            client, _ = listener.accept()
            with client, client.makefile("rwb") as lines:
                asked.append(lines.readline())
                lines.write(text)

        server = Thread(target=answer)
        server.start()
        yield asked
        server.join()


def test_a_question_is_one_line_and_so_is_the_answer(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    with answering(path, b'\n\n{"zones": []}\n') as asked:
        assert ask(str(path), {"status": {}}) == {"zones": []}
    assert [json.loads(line) for line in asked] == [{"status": {}}]


def test_a_stream_goes_on_until_the_server_closes(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    with answering(path, b'{"a": 1}\n\n{"a": 2}\n'):
        assert list(stream(str(path), {"watch": {}})) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"error": "no such listener"}\n', "^no such listener$"),
        (b"", "closed the connection without an answer"),
        (b"nonsense\n", "Expecting"),
    ],
)
def test_a_refusal_and_nonsense_are_errors(tmp_path: Path, text: bytes, why: str) -> None:
    path = tmp_path / "a.sock"
    with answering(path, text), pytest.raises(AdminError, match=why):
        ask(str(path), {"status": {}})


def test_a_server_that_is_not_there_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match=r"a\.sock: No such file or directory; is a server running\? --server unix:PATH"):
        ask(str(tmp_path / "a.sock"), {"status": {}})


def test_a_server_that_says_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_socket, "TIMEOUT", 0.05)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "a.sock"))
        listener.listen()
        with pytest.raises(AdminError, match="timed out"):
            ask(str(tmp_path / "a.sock"), {"status": {}})


def test_a_path_that_is_too_long_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="too long"):
        ask(str(tmp_path / ("a" * 200)), {"status": {}})


@pytest.mark.parametrize(("given", "path"), [("unix:/run/x.sock", "/run/x.sock"), ("/run/x.sock", "/run/x.sock"), ("", "")])
def test_a_path_may_have_its_scheme(given: str, path: str) -> None:
    assert path_of(given) == path


def test_the_default_is_below_run_where_that_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: True)
    assert default_path("serve") == "/run/clusterdns/serve.sock"
    monkeypatch.setattr("os.access", lambda path, mode: False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert default_path("node-cache") == "/run/user/7/clusterdns/node-cache.sock"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert default_path("serve") == "/tmp/clusterdns/serve.sock"

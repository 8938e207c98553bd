"""The port of `./dev run`: taken or free, and when a server counts as ready."""

import errno
import socket
from collections.abc import Iterator

import dns.message
import dns.rcode
import pytest

from tools.console import Failed
from tools.port import ABSENT, HOST, address_question, ask, check_port_is_free, why_not


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A UDP socket that answers only what a test makes it answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind((HOST, 0))
        yield bound


@pytest.fixture
def client(server: socket.socket) -> Iterator[socket.socket]:
    """A socket that asks this server."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connected:
        connected.connect(server.getsockname())
        connected.settimeout(0.01)
        yield connected


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_in_use_is_one_line_that_says_what_to_do(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind((HOST, 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Failed, match=f"port {port} of 127.0.0.1 is in use: .*--port"):
            check_port_is_free(port)


def test_a_free_port_is_none_of_our_business(server: socket.socket) -> None:
    port = server.getsockname()[1]
    server.close()
    check_port_is_free(port)


def test_a_port_that_needs_permission_says_which_ones_do_not() -> None:
    assert "above 1023" in why_not(PermissionError(errno.EACCES, "Permission denied"), 53)


def test_the_question_is_a_message_that_others_read() -> None:
    message = dns.message.from_wire(address_question(4711, "cart.shop.svc.cluster.local"))
    assert message.id == 4711
    assert [question.to_text() for question in message.question] == ["cart.shop.svc.cluster.local. IN A"]


def test_the_answer_to_another_question_is_not_taken_for_ours(server: socket.socket, client: socket.socket) -> None:
    stale = dns.message.make_response(dns.message.from_wire(address_question(1, ABSENT)))
    server.sendto(stale.to_wire(), client.getsockname())
    assert ask(client, ABSENT) is None


def test_no_server_is_no_answer(server: socket.socket, client: socket.socket) -> None:
    server.close()
    assert ask(client, ABSENT) is None


def test_the_answer_gives_its_response_code(server: socket.socket, client: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.randbits", lambda bits: 7)
    answer = dns.message.make_response(dns.message.from_wire(address_question(7, ABSENT)))
    answer.set_rcode(dns.rcode.NXDOMAIN)
    server.sendto(answer.to_wire(), client.getsockname())
    assert ask(client, ABSENT) == dns.rcode.NXDOMAIN

"""`./dev run`: what it promises is what is answered, and it ends as it should."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import dns.flags
import dns.message
import dns.query
import pytest

from tests.stories import without_times
from tools.console import ROOT
from tools.port import HOST
from tools.run import QUESTIONS, Question, lines_to_try

README = (ROOT / "README.md").read_text()
# The set-up is left out: the tests run in what it made.
PROGRAM = (
    "import sys; from tools import dev, run; run.set_up = lambda requirements: None; sys.exit(dev.main(['run', '--port', sys.argv[1]]))"
)


class Running(NamedTuple):
    """A `./dev run` that has said ready, and what it said after that."""

    process: subprocess.Popen[str]
    port: int
    said: list[str]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One `./dev run` for all tests here."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(port)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line.rstrip())
            if "Ctrl-C ends it" in line:
                break
        assert said, "it ended before it was ready, and said why on stderr"
        yield Running(process, port, said)
        process.terminate()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def test_it_says_ready_first_and_then_five_things_to_try(running: Running) -> None:
    assert running.said[0] == f"ready {HOST}:{running.port}"
    assert sum(" dig " in line or " explain " in line for line in running.said) == 5


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.words)
@pytest.mark.parametrize("over", [dns.query.udp, dns.query.tcp], ids=["udp", "tcp"])
def test_each_question_is_answered_as_promised(running: Running, question: Question, over: object) -> None:
    assert callable(over)
    name, _, rtype = question.words.partition(" ")
    query = dns.message.make_query(name, rtype or "A")
    answer = over(query, HOST, port=running.port, timeout=5)
    assert sorted(rdata.to_text() for rrset in answer.answer for rdata in rrset) == sorted(question.answer)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.words)
def test_explain_names_the_answer_and_the_object_behind_it(running: Running, question: Question) -> None:
    story = explain(running, question.words)
    assert all(record in story for record in question.answer)
    assert question.why in story
    assert "examples/shop/Corefile:" in story


def test_the_readme_shows_what_explain_says(running: Running) -> None:
    name = QUESTIONS[-1].words
    story = explain(running, name).replace(str(running.port), "1053")
    assert without_times(f"explain {name} --server unix:target/run/1053.sock\n{story}") in without_times(README)


def test_each_query_is_a_line_as_the_readme_shows_it(running: Running) -> None:
    assert running.process.stdout is not None
    dns.query.udp(dns.message.make_query("cart.shop.svc.cluster.local", "AAAA"), HOST, port=running.port, timeout=5)
    line = next(line for line in running.process.stdout if "fd00:96::80" in line)
    assert without_times(line) in without_times(README)


def explain(running: Running, question: str) -> str:
    """What explain tells about a question."""
    command = [".venv/bin/clusterdns", "explain", *question.split(), "--server", f"unix:target/run/{running.port}.sock"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_without_dig_all_questions_go_through_explain() -> None:
    assert sum("dig" in line for line in lines_to_try(1053, "unix:s", has_dig=False)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_it_with_exit_code_0(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(free_port())], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready")
        process.send_signal(number)
        process.stdout.read()  # ends when the children, which share it, have ended too
        assert process.wait() == 0


def test_a_port_in_use_ends_it_with_one_line() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]
        answer = subprocess.run([sys.executable, "-c", PROGRAM, str(port)], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert f"port {port} of {HOST} is in use" in answer.stderr

"""`./dev run`: what it promises is what is answered, and it ends as it should."""

import os
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

from tools.console import ROOT
from tools.port import HOST
from tools.run import QUESTIONS, Question, lines_to_try

# The set-up is left out: the tests run in what it made.
PROGRAM = "import sys; from tools import run; run.set_up = lambda requirements: None; sys.exit(run.run(int(sys.argv[1])))"


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
    command = [".venv/bin/clusterdns", "explain", *question.words.split(), "--server", f"unix:target/run/{running.port}.sock"]
    story = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(record in story for record in question.answer)
    assert question.why in story
    assert "examples/shop/Corefile:" in story


def test_each_query_is_a_line_with_answer_object_and_microseconds(running: Running) -> None:
    assert running.process.stdout is not None
    question = QUESTIONS[0]
    dns.query.udp(dns.message.make_query(question.words, "A"), HOST, port=running.port, timeout=5)
    line = next(line for line in running.process.stdout if question.words in line and question.answer[0] in line)
    assert question.why in line
    assert "examples/shop/Corefile:" in line
    assert "µs" in line


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


def test_a_port_in_use_ends_it_with_one_line(running: Running) -> None:
    answer = subprocess.run([ROOT / "dev", "run", "--port", str(running.port)], capture_output=True, text=True, env=os.environ)
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert f"port {running.port} of {HOST} is in use" in answer.stderr

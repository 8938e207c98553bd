"""The seeds are what they say they are, and a bounded round of fuzzing finds nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import dns.message
import dns.opcode
import msgspec
import pytest

from clusterdns.plan import decode_plan
from clusterdns.zones import ZoneChange
from fuzz import run, seeds
from tools.console import ROOT

SECONDS = 20


@pytest.mark.parametrize(("name", "octets"), [*seeds.messages()])
def test_a_question_is_the_message_that_its_line_says(name: str, octets: bytes) -> None:
    message = dns.message.from_wire(octets)
    question = message.question[0]
    line = [question.name.to_text(), dns.rdatatype.to_text(question.rdtype), *([str(message.payload)] if message.edns == 0 else [])]
    assert "+".join(line) == name
    assert message.opcode() == dns.opcode.QUERY


@pytest.mark.parametrize(("name", "octets"), [*seeds.replies()])
def test_a_reply_is_a_message_with_all_its_records(name: str, octets: bytes) -> None:
    message = dns.message.from_wire(octets, one_rr_per_rrset=True)
    counts = [len(section) for section in (message.answer, message.authority, message.additional)]
    expected = [[rtype for rtype, _ in section if rtype != "OPT"] for section in seeds.REPLIES[name][2:]]
    assert counts == [len(section) for section in expected]
    assert message.rcode() == seeds.REPLIES[name][1]


@pytest.mark.parametrize(("name", "octets"), [*seeds.changes()])
def test_a_change_is_one_that_python_could_have_packed(name: str, octets: bytes) -> None:
    change = msgspec.msgpack.decode(octets, type=ZoneChange)
    assert change.owners
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(change), type=ZoneChange) == change


@pytest.mark.parametrize(("name", "octets"), [*seeds.plans()])
def test_a_plan_is_one_that_python_reads_too(name: str, octets: bytes) -> None:
    assert decode_plan(octets).version == 1


def test_without_a_cxx_compiler_it_says_so_and_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert run.main(["--seconds", "1"]) == 0
    assert "no C++ compiler" in capsys.readouterr().out


def test_a_target_that_is_none_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run.main(["nothing"])
    assert "message, upstream, change, plan" in capsys.readouterr().err


def test_the_log_is_summed_up() -> None:
    log = "#2\tINITED cov: 10 ft: 11\n#9\tNEW    cov: 1234 ft: 11\nstat::number_of_executed_units: 1234567\n"
    assert run.summary(log) == "1,234,567 inputs, 1234 edges"
    assert run.summary("") == "0 inputs, 0 edges"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not shutil.which("cargo"), reason="cargo is not on the PATH: ./dev test puts it there")
@pytest.mark.skipif(not run.machine_has_cxx(), reason="no C++ compiler, which libFuzzer needs")
def test_a_round_of_fuzzing_finds_nothing() -> None:
    command = [sys.executable, str(ROOT / "fuzz/run.py"), "--seconds", str(SECONDS)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("nothing found") == len(run.TARGETS)

"""The log as JSON objects (`-log-format json`): every line is one, and those of queries have their fields."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.servers import PATIENCE, serving

COREFILE = """\
example.org:PORT {
    log . "{name} {rcode}"
    errors
    reload
    whoami
}
fails.example:PORT {
    errors
    kubernetes fails.example {
        manifests empty
        fallthrough
    }
}
"""


def test_every_line_is_an_object(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with serving(tmp_path, COREFILE, "-log-format=json") as server:
        server.ask("A.example.org", "AAAA", edns=0)
        server.ask("a.fails.example")
        server.wait_for('"plugin":"errors"')
    lines = [json.loads(line) for line in server.lines]
    assert all(line["time"].endswith("Z") and line["msg"] for line in lines)
    told = {(line.get("plugin"), line["level"]): line for line in lines}
    assert told["reload", "INFO"]["msg"].startswith("Running configuration SHA512 = ")
    assert told["errors", "ERROR"]["msg"].startswith("2 a.fails.example. A: ")
    query = told["log", "INFO"]
    assert query["msg"] == "a.example.org. NOERROR"
    fields = ("client_ip", "qname", "qtype", "qclass", "proto", "do", "bufsize", "rcode", "rflags")
    expected = ["127.0.0.1", "a.example.org.", "AAAA", "IN", "udp", False, 512, "NOERROR", ["qr", "aa", "rd"]]
    assert [query[field] for field in fields] == expected
    assert all(isinstance(query[field], int) for field in ("client_port", "id", "opcode", "size", "rsize"))
    assert 0 < query["duration_seconds"] < PATIENCE
    assert {line["msg"] for line in lines} >= {f"example.org.:{server.port}", "CoreDNS-1.14.7"}


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A server that does not start."""
    command = [sys.executable, "-m", "clusterdns.cli.main", "serve", "-conf", "Corefile", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_what_is_wrong_with_a_corefile_is_told_in_objects(tmp_path: Path) -> None:
    (tmp_path / "Corefile").write_text(".:53 {\n    nosuch\n}\n")
    ended = run(tmp_path, "--log-format", "json")
    (problem,) = map(json.loads, ended.stderr.splitlines())
    assert ended.returncode == 1
    assert (problem["level"], problem["msg"], problem["place"]) == ("ERROR", "unknown directive `nosuch`", "Corefile:2:5")


def test_there_are_two_formats(tmp_path: Path) -> None:
    ended = run(tmp_path, "-log-format", "xml")
    assert (ended.returncode, ended.stderr) == (2, 'invalid value "xml" for flag -log-format: must be one of text, json\n')

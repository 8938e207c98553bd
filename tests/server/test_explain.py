"""`explain` and `watch` against a running server."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from tests.server.process import KUBERNETES, command, replace, served
from tests.servers import PATIENCE, Running, free_port
from tests.stories import steps_of, without_times
from tools.console import ROOT

MANIFEST = """\
apiVersion: v1
kind: Service
metadata: {name: svc1, namespace: testns}
spec: {clusterIP: 10.96.0.1, ports: [{name: http, port: 80}]}
"""


@pytest.fixture
def server(tmp_path: Path) -> object:
    replace(tmp_path / "manifests" / "one.yaml", MANIFEST)
    with served(tmp_path, KUBERNETES) as server:
        yield server


def explained(server: Running, *arguments: str) -> str:
    """What explain prints."""
    ended = command(server.directory, "explain", *arguments, "--server", f"unix:{server.admin}")
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def test_explain_tells_block_directives_and_object(server: Running) -> None:
    story = explained(server, "svc1.testns.svc.cluster.local")
    lines = without_times(story).splitlines()
    assert re.fullmatch(r"svc1\.testns\.svc\.cluster\.local\. A: NOERROR \(qr aa rd\), \d+ octets, N µs", lines[0])
    assert lines[1:3] == ["  answer  svc1.testns.svc.cluster.local. 5 A 10.96.0.1", "because"]
    assert steps_of(story) == [
        f"listener 127.0.0.1:{server.port}",
        f"block . Corefile:1:1 .:{server.port}",
        "zone Corefile:4:5 kubernetes cluster.local",
        "object Service testns/svc1 (manifests/one.yaml:1:1)",
    ]


def test_each_step_tells_when_it_was(server: Running) -> None:
    """In the text, in one column, in the order of time; blank where nothing happened."""
    lines = explained(server, "svc1.testns.svc.cluster.local").partition("because\n")[2].splitlines()
    columns = [re.fullmatch(r"  (\w+) +(?:([\d.]+) (µs|ms))?  (\S.*)", line) for line in lines]
    assert [found and found[1] for found in columns] == ["listener", "block", "zone", "object"]
    times = [float(found[2]) * (1000 if found[3] == "ms" else 1) for found in columns if found and found[2]]
    assert len(times) == 2
    assert times == sorted(times)
    assert len({found.start(4) for found in columns if found}) == 1


def test_explain_as_json_is_the_same(server: Running) -> None:
    reply = json.loads(explained(server, "svc1.testns.svc.cluster.local", "SRV", "-o", "json"))
    assert reply["rcode"] == "NOERROR"
    assert reply["answer"] == [
        {"name": "svc1.testns.svc.cluster.local.", "ttl": 5, "type": "SRV", "data": "0 100 80 svc1.testns.svc.cluster.local."}
    ]
    assert reply["origins"] == ["Service testns/svc1 (manifests/one.yaml:1:1)"]
    steps = [(step["what"], step["place"], step["line"]) for step in reply["steps"]]
    assert steps == [("block", "Corefile:1:1", f".:{server.port}"), ("zone", "Corefile:4:5", "kubernetes cluster.local")]


@pytest.mark.parametrize(
    ("name", "rtype", "rcode", "why"),
    [
        ("nobody.testns.svc.cluster.local", "A", "NXDOMAIN", "no such name; all data has been loaded"),
        ("svc1.testns.svc.cluster.local", "AAAA", "NOERROR", "the name exists, the type does not; all data has been loaded"),
    ],
)
def test_explain_says_why_there_is_no_answer(server: Running, name: str, rtype: str, rcode: str, why: str) -> None:
    story = explained(server, name, rtype)
    assert story.startswith(f"{name}. {rtype}: {rcode} (")
    assert why in story
    assert "authority  cluster.local. 5 SOA " in story


def test_explain_of_a_name_that_nobody_serves(server: Running) -> None:
    story = explained(server, "example.org")
    assert story.startswith("example.org. A: SERVFAIL (qr rd)")
    assert f"block . Corefile:1:1 .:{server.port}" in steps_of(story)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a.test", "NOSUCH"], "NOSUCH is no record type"),
        (["a..test"], "a..test "),
        ([f"{'a' * 64}.test"], "a.test "),
        (["a.test", "--listener", "nosuch:53"], "no such listener"),
        (["a.test", "--client", "nobody"], "not a request: "),
    ],
)
def test_explain_of_nonsense_is_one_clear_line(server: Running, arguments: list[str], why: str) -> None:
    ended = command(server.directory, "explain", *arguments, "--server", f"unix:{server.admin}")
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("clusterdns explain: ")
    assert why in line


@pytest.mark.parametrize("tool", ["explain", "watch"])
def test_a_server_that_is_not_there_is_one_clear_line(tmp_path: Path, tool: str) -> None:
    name = ("a.test",) if tool == "explain" else ()
    ended = command(tmp_path, tool, *name, "--server", f"unix:{tmp_path / 'nobody.sock'}")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"clusterdns {tool}: {tmp_path / 'nobody.sock'}: No such file or directory; "
        "is a server running? --server unix:PATH names another socket\n"
    )


def test_explain_counts_nowhere_and_is_not_watched(server: Running) -> None:
    with socket.socket(socket.AF_UNIX) as watching:
        watching.connect(server.admin)
        watching.sendall(b'{"watch": {}}\n')
        with watching.makefile() as lines:
            wait_until_watched(server, lines)
            explained(server, "explained.test")
            server.ask("asked.test")
            asked = next(json.loads(line)["name"] for line in lines if line.strip() and "marker" not in line)
            assert asked == "asked.test."


def wait_until_watched(server: Running, lines: object) -> None:
    """Asks for a marker until the watcher sees it."""
    server.ask("marker.test")
    for line in lines:  # type: ignore[attr-defined]
        if line.strip():
            return
        server.ask("marker.test")


def test_watch_prints_a_line_for_each_query_and_ends_with_the_server(tmp_path: Path) -> None:
    replace(tmp_path / "manifests" / "one.yaml", MANIFEST)
    watch = [sys.executable, "-m", "clusterdns.cli.main", "watch", "--server", f"unix:{tmp_path / 'admin.sock'}"]
    with served(tmp_path, KUBERNETES) as server, subprocess.Popen(watch, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        seen: list[str] = []
        reader = Thread(target=lambda: seen.extend(watching.stdout or ()), daemon=True)
        reader.start()
        until = time.monotonic() + PATIENCE
        while not seen:
            assert time.monotonic() < until
            server.ask("marker.test")
        server.ask("svc1.testns.svc.cluster.local", "SRV")
        server.ask("SVC1.testns.svc.cluster.local", "AAAA")
        server.ask("nobody.testns.svc.cluster.local", tcp=True)
        while not any(line.startswith("nobody") for line in seen):
            assert time.monotonic() < until
            server.ask("marker.test")
        server.process.terminate()
        assert watching.wait(PATIENCE) == 0
        reader.join(PATIENCE)
    lines = [without_times(line.rstrip("\n")) for line in seen if not line.startswith("marker")]
    place = "Corefile:4:5 kubernetes cluster.local"
    assert lines == [
        "svc1.testns.svc.cluster.local. SRV | 0 100 80 svc1.testns.svc.cluster.local. | "
        f"Service testns/svc1 (manifests/one.yaml:1:1) | {place} | N µs",
        f"SVC1.testns.svc.cluster.local. AAAA | no data | Service testns/svc1 (manifests/one.yaml:1:1) | {place} | N µs",
        f"nobody.testns.svc.cluster.local. A | NXDOMAIN | {place} | N µs",
    ]


def test_the_object_is_told_as_it_is_now(server: Running) -> None:
    """An object that was moved within its file is where it is, not where it was."""
    replace(server.directory / "manifests" / "one.yaml", f"# moved\n\n{MANIFEST.replace('10.96.0.1', '10.96.0.2')}")
    until = time.monotonic() + PATIENCE
    while str(server.ask("svc1.testns.svc.cluster.local").answer[0][0]) != "10.96.0.2":
        assert time.monotonic() < until
    assert "Service testns/svc1 (manifests/one.yaml:3:1)" in explained(server, "svc1.testns.svc.cluster.local")


@pytest.mark.parametrize("tool", ["kdig", "dig"])
@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_other_resolvers_tools_understand_the_answers(server: Running, tool: str, transport: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed (Debian: bind9-dnsutils, knot-dnsutils)")
    name = "_http._tcp.svc1.testns.svc.cluster.local"
    line = [tool, "@127.0.0.1", "-p", str(server.port), name, "SRV", transport, "+short", "+timeout=5"]
    ended = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert ended.stdout == "0 100 80 svc1.testns.svc.cluster.local.\n"


@pytest.mark.parametrize("tool", ["kdig", "dig"])
def test_a_truncated_answer_is_asked_for_again_over_tcp(tmp_path: Path, tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed (Debian: bind9-dnsutils, knot-dnsutils)")
    pods = "".join(
        f"---\n{{apiVersion: v1, kind: Pod, metadata: {{name: p{at}, namespace: testns, labels: {{app: many}}}}}}\n" for at in range(300)
    )
    headless = (
        "---\n{apiVersion: v1, kind: Service, metadata: {name: many, namespace: testns}, "
        "spec: {clusterIP: None, selector: {app: many}, ports: [{port: 80}]}}\n"
    )
    replace(tmp_path / "manifests" / "many.yaml", pods + headless)
    with served(tmp_path, KUBERNETES) as server:
        line = [tool, "@127.0.0.1", "-p", str(server.port), "many.testns.svc.cluster.local", "A", "+short", "+timeout=5"]
        ended = subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert len(set(re.findall(r"^10\.244\.\S+$", ended.stdout, re.MULTILINE))) == 300


def test_the_page_shows_what_is_said(tmp_path: Path) -> None:
    """Each example of docs/explain.md is run; ports, serials, ages and times are not compared."""
    page = (ROOT / "docs/explain.md").read_text()
    corefiles, manifests = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("corefile", "yaml"))
    replace(tmp_path / "shop" / "shop.yaml", manifests[0])
    examples = re.findall(r"```console\n\$ clusterdns explain (.*?)\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 5
    ports = {"1053": free_port(), "2053": free_port(), "3053": free_port()}
    plain, edge = (with_ports(corefile, ports) for corefile in corefiles)
    (tmp_path / "edge").mkdir()
    with served(tmp_path, plain, port=ports["1053"]) as first, served(tmp_path / "edge", edge, port=ports["2053"]) as second:
        for command_line, story in examples:
            words = command_line.removesuffix(" --server unix:edge.sock").split()
            is_second = words != command_line.split()
            said = explained(second if is_second else first, *words)
            expected = with_ports(story.replace("edge.Corefile", "Corefile"), ports)
            assert comparable(said) == comparable(expected)
            if is_second:
                second.ask(words[0])


def with_ports(text: str, ports: dict[str, int]) -> str:
    """With the ports of this test in place of those of the page."""
    return re.sub("|".join(ports), lambda found: str(ports[found[0]]), text)


def comparable(story: str) -> str:
    """A story without what is another one each time."""
    story = re.sub(r"\b1\d{9}\b", "N", without_times(story))
    if "kept" in story:
        story = re.sub(r"kept \d+ s ago|\b\d+ s left:|(?<=\. )\d+(?= (?:A|CNAME) )", "N", story)
    return story

"""The pages of the directives: each has the same sections, and every Corefile on them compiles, starts, and answers."""

import re
import ssl
from pathlib import Path
from typing import TypeVar

import dns.message
import dns.query
import pytest
from msgspec.structs import replace

from clusterdns.compiler import compile_plan
from clusterdns.corefile.report import text_report
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.directives import HERE, TABLE
from clusterdns.engine import Engine
from clusterdns.plan import Plan
from clusterdns.plan.listeners import TlsServer
from clusterdns.plan.ops import ForwardOp, Op, TlsClient, Upstream
from clusterdns.sources import sources_of_texts, stand_in
from tests.certificates import self_signed
from tests.servers import ANSWER_SECONDS

FOLDER = Path(__file__).parents[2] / "docs/directives"
PAGES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.md")) if path.stem != "README"}
SECTIONS = ["Name", "Syntax", "Options", "Examples"]

_FENCE = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Tls = TypeVar("Tls", TlsServer | None, TlsClient | None)

INTERFACES = {"lo": ["127.0.0.1", "::1"], "eth0": ["192.0.2.1", "192.0.2.2"]}


def fences(page: str) -> list[tuple[str, str, str]]:
    """The fenced texts of a page: kind, file name and text."""
    return _FENCE.findall(PAGES[page])


SNIPPETS = [(page, text) for page in PAGES for kind, _, text in fences(page) if kind == "corefile"]


def compiled(page: str, snippet: str) -> Plan:
    """The plan of a Corefile on a page, whose files are on the page too; there are no problems but those that it tells of."""
    files = {name: text for kind, name, text in fences(page) if kind == "file"}
    sources = replace(sources_of_texts({"Corefile": snippet, **files}), interfaces=INTERFACES, resolve=stand_in)
    parsed = parse_corefile("Corefile", sources)
    compilation = compile_plan(parsed, sources)
    assert compilation.plan is not None, text_report(compilation.problems, parsed.texts)
    assert {problem.code for problem in compilation.problems} <= {"empty-glob", "no-effect"}
    return compilation.plan


@pytest.mark.parametrize(("page", "snippet"), SNIPPETS)
def test_a_corefile_on_a_page_starts_and_answers(page: str, snippet: str, tmp_path: Path) -> None:
    """Its zones are empty and its plugins are not loaded: whoever steers a server does that. Any answer will do, of each block."""
    plan = moved(compiled(page, snippet), tmp_path)
    engine = Engine(workers=1)
    try:
        engine.prepare(plan).commit()
        bound = dict(engine.bound())
        for block in plan.blocks:
            listener = min((one for one in plan.listeners if one.id in block.listeners), key=lambda one: one.tls is not None)
            query = dns.message.make_query("www." + block.zone.removeprefix("."), "A")
            host, _, port = bound[listener.id].rpartition(":")
            if listener.tls is not None:
                dns.query.tls(query, host, port=int(port), timeout=ANSWER_SECONDS, ssl_context=client_of(listener.tls))
            else:
                dns.query.udp(query, host, port=int(port), timeout=ANSWER_SECONDS)
    finally:
        engine.stop(0)


def moved(plan: Plan, folder: Path) -> Plan:
    """The same on free ports of loopback, with upstreams that refuse, and with certificates that there are."""
    all_tls = (*(one.tls for one in plan.listeners), *(one.tls for one in plan.http), *(one.tls for one in upstreams(plan)))
    if any(all_tls):
        self_signed(folder, "www.example.org")
    pem = {"cert": "cert.pem", "key": "key.pem", "ca": "cert.pem"}

    def with_files(tls: Tls) -> Tls:
        return tls and replace(tls, **{field: str(folder / name) for field, name in pem.items() if getattr(tls, field)})

    def nobody(number: int, upstream: Upstream) -> Upstream:
        return Upstream(f"127.0.0.1:{number}", with_files(upstream.tls), upstream.source and "127.0.0.1")

    def op(op: Op) -> Op:
        if not isinstance(op, ForwardOp):
            return op
        return replace(op, upstreams=[nobody(number, upstream) for number, upstream in enumerate(op.upstreams, start=1)])

    # Each address stays another one: those that share it have the same certificate.
    places = {address: f"127.0.0.{number}:0" for number, address in enumerate(dict.fromkeys(one.address for one in plan.http), start=1)}
    return replace(
        plan,
        listeners=[replace(one, host="127.0.0.1", port=0, tls=with_files(one.tls)) for one in plan.listeners],
        http=[replace(one, address=places[one.address], tls=with_files(one.tls)) for one in plan.http],
        blocks=[replace(block, program=[op(one) for one in block.program]) for block in plan.blocks],
    )


def client_of(tls: TlsServer) -> ssl.SSLContext:
    """A client that trusts anybody, and shows the server's own certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(tls.cert, tls.key)
    return context


def upstreams(plan: Plan) -> list[Upstream]:
    """All servers that are asked."""
    return [upstream for block in plan.blocks for op in block.program if isinstance(op, ForwardOp) for upstream in op.upstreams]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_its_sections_in_order(page: str) -> None:
    sections = re.findall(r"^## (.*)$", re.sub(_FENCE, "", PAGES[page]), re.MULTILINE)
    assert PAGES[page].startswith(f"# {page}\n\n## Name\n*{page}* - ")
    assert [section for section in sections if section in SECTIONS] == SECTIONS
    assert page in {name for name, _ in SNIPPETS}


def test_each_directive_that_is_here_has_a_page() -> None:
    assert set(PAGES) == {name for name, state in TABLE.items() if state is HERE} | {"import"}

"""`prometheus`: count the block's queries, and tell over HTTP what has been counted."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, engine_files, listen_address, options
from clusterdns.plan.listeners import HttpListener, TlsServer
from clusterdns.plan.ops import CountOp

ADDRESS = "localhost:9153"


def compile_prometheus(lines: Sequence[Line], block: BlockContext) -> None:
    """`prometheus [ADDRESS] { runtime_metrics; tls FILE | tls CERT KEY [CA] }`"""
    line = lines[0]
    words = arguments(line, block, "prometheus [ADDRESS]")
    address = listen_address(words[0], block) if words else ADDRESS
    tls: TlsServer | None = None
    first: Line | None = None
    for option in options(line, block, ("runtime_metrics", "tls")):
        if option.name.text == "runtime_metrics":
            if arguments(option, block, "runtime_metrics") is not None:
                block.warn(option, "there is no Go runtime here: `runtime_metrics` does nothing", "remove it", code="no-effect")
        elif first:
            block.error(option, "`tls` can be used only once", f"it was used at {first.place}", code="used-twice")
        else:
            first = option
            tls = _tls(option, block)
    behind = block.directives[block.directives.index("prometheus") + 1 :]
    block.emit(CountOp(next(iter(behind), ""), list(block.directives), next(iter(block.zones), ""), block.span(line)))
    if address:
        # Queries that are not counted are no reason not to answer them.
        block.serve_http(HttpListener(address, "metrics", required=False, zones=[], latched=False, tls=tls), line)


def _tls(option: Line, block: BlockContext) -> TlsServer | None:
    """`tls FILE`, which is CoreDNS's way, or the certificate and its key; with an authority clients must have a certificate of it."""
    if len(option.args) == 1:
        from clusterdns.directives.webconfig import read_web_config  # only who has such a file pays for it

        return read_web_config(option.args[0], block)
    words = arguments(option, block, "tls CERT KEY [CA]", more=("tls FILE",))
    if words is None:
        return None
    cert, key, ca = (*engine_files(words, block), "")[:3]
    return TlsServer(cert, key, ca, "require_and_verify" if ca else "nocert")


DIRECTIVE = Directive(name="prometheus", compile=compile_prometheus, once=True)

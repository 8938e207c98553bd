"""`chaos`: answers questions about the server itself, in the class CH (RFC 4892)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, no_block
from clusterdns.iana import CLASSES, TYPES
from clusterdns.plan.ops import FixedNames, FixedOp, FixedReply
from clusterdns.version import COREDNS

VERSION = f"CoreDNS-{COREDNS}"
AUTHORS = ("the authors of clusterdns",)
MOST_STRING = 255
"""Octets of a character string (RFC 1035 3.3)."""


def compile_chaos(lines: Sequence[Line], block: BlockContext) -> None:
    """`chaos [VERSION] [AUTHORS...]`; the first line counts."""
    for line in lines:
        no_block(line, block)
    words = [token.text for token in arguments(lines[0], block, "chaos [VERSION] [AUTHORS...]") or ()]
    version, authors = words[:1] or [VERSION], sorted(set(words[1:])) or AUTHORS
    host = [block.sources.hostname]
    texts = {
        **{"authors.bind.": authors},
        **{"version.bind.": version, "version.server.": version},
        **{"hostname.bind.": host, "id.server.": host},
    }
    names = [FixedNames("name", name, [_reply(texts)]) for name, texts in texts.items()]
    block.emit(FixedOp(names=names, name="chaos", span=block.span(lines[0])))


def _reply(texts: Iterable[str]) -> FixedReply:
    """These texts, as TXT records."""
    answer = [f"@ 0 CH TXT {_string(text)}" for text in texts]
    return FixedReply(qtype=TYPES["TXT"], qclass=CLASSES["CH"], rcode=0, answer=answer, authority=[])


def _string(text: str) -> str:
    """A character string as a zone file has it, cut where it is too long."""
    octets = text.encode("utf-8", "surrogateescape")[:MOST_STRING]
    return '"' + "".join(f"\\{octet:03}" if octet in b'"\\' or not 32 <= octet <= 126 else chr(octet) for octet in octets) + '"'


DIRECTIVE = Directive(name="chaos", compile=compile_chaos)

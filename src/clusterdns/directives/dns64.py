"""`dns64`: IPv6 addresses for names that have IPv4 addresses only (RFC 6147)."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Network

from msgspec import structs

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, cidr, options
from clusterdns.plan.ops import Dns64Op

WELL_KNOWN = "64:ff9b::/96"
"""RFC 6052 2.1"""
LENGTHS = (32, 40, 48, 56, 64, 96)
"""RFC 6052 2.2"""
ODD_LENGTHS = (72, 80, 88)
"""CoreDNS takes them too."""
OPTIONS = ("prefix", "translate_all", "allow_ipv4")


def compile_dns64(lines: Sequence[Line], block: BlockContext) -> None:
    """`dns64 [PREFIX] { prefix PREFIX; translate_all; allow_ipv4 }`; what several lines say adds up."""
    op = Dns64Op(prefix=WELL_KNOWN, translate_all=False, allow_ipv4=False, span=block.span(lines[0]))
    for line in lines:
        for word in arguments(line, block, "dns64 [PREFIX]") or ():
            op = structs.replace(op, prefix=_prefix(word, block))
        for option in options(line, block, OPTIONS):
            if option.name.text == "prefix":
                for word in arguments(option, block, "prefix PREFIX") or ():
                    op = structs.replace(op, prefix=_prefix(word, block))
            elif arguments(option, block, option.name.text) is not None:
                op = structs.replace(op, **{option.name.text: True})
    block.emit(op)


def _prefix(token: Token, block: BlockContext) -> str:
    """A network whose addresses have room for an IPv4 address at a place that is known."""
    found = cidr(token, block)
    if found is None:
        return WELL_KNOWN
    lengths = ", ".join(map(str, LENGTHS))
    length = found.network.prefixlen
    if not isinstance(found.network, IPv6Network):
        block.error(token, f"`{token.text}` is a network of IPv4", f"write one of IPv6, like {WELL_KNOWN}", code="bad-value")
    elif length in ODD_LENGTHS:
        message = f"a prefix of {length} bits is not one that RFC 6052 knows: translators may look elsewhere for the IPv4 address"
        block.warn(token, message, f"those that it knows have {lengths} bits", code="odd-prefix")
    elif length not in LENGTHS:
        block.error(token, f"a prefix cannot have {length} bits", f"it can have {lengths}", code="bad-value")
    return str(found)


DIRECTIVE = Directive(name="dns64", compile=compile_dns64)

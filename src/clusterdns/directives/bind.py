"""`bind`: the addresses that a block is served on, instead of all."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, options, suggestion
from clusterdns.scalars import address_or_none


def compile_bind(lines: Sequence[Line], block: BlockContext) -> None:
    """`bind ADDRESS|INTERFACE... { except ADDRESS|INTERFACE... }`; the addresses of several lines add up."""
    addresses: list[str] = []
    problems = len(block.problems)
    for line in lines:
        wanted = [address for token in arguments(line, block, "bind ADDRESS...") or () for address in _addresses(token, block)]
        without: set[str] = set()
        for option in options(line, block, ("except",)):
            # A second `except` replaces the first, as in CoreDNS.
            without = {address for token in arguments(option, block, "except ADDRESS...") or () for address in _addresses(token, block)}
        addresses += [address for address in wanted if address not in without]
    block.bind = tuple(addresses)
    if not addresses and len(block.problems) == problems:
        hint = "nothing is left after `except`, or the interface has no address"
        block.warn(lines[0], "there is no address to listen on: this block is not served", hint, code="no-address")


def _addresses(token: Token, block: BlockContext) -> Sequence[str]:
    """The addresses that a word stands for: itself, or those of the interface of that name."""
    if address_or_none(token.text):
        return (_canonical(token.text),)
    # Asked last: to list the interfaces costs more than all the rest.
    interfaces = block.sources.interfaces
    if token.text in interfaces:
        return [_canonical(address, token.text) for address in interfaces[token.text]]
    hint = suggestion(token.text, interfaces)
    block.error(token, f"`{token.text}` is no IP address and no network interface of this machine", hint, code="bad-address")
    return ()


def _canonical(text: str, interface: str = "") -> str:
    """The address in its one way of writing; a link-local one needs its interface to be listened on."""
    address = ip_address(text)
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    if interface and address.is_link_local and not address.scope_id:
        return f"{address}%{interface}"
    return str(address)


DIRECTIVE = Directive(name="bind", compile=compile_bind)

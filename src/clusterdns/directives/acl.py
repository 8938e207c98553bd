"""`acl`: who may ask what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv6Network

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import cidr, reached_zones, record_type, suggestion
from clusterdns.plan.ops import AclAction, AclList, AclOp, AclRule
from clusterdns.scalars import Cidr, address_or_none

ACTIONS: dict[str, AclAction] = {"allow": "allow", "block": "block", "filter": "filter", "drop": "drop"}
SECTIONS = ("type", "net")
ALL = "*"

_MAPPED = IPv6Network("::ffff:0:0/96")


def compile_acl(lines: Sequence[Line], block: BlockContext) -> None:
    """`acl [ZONES...] { allow|block|filter|drop [type QTYPE...] [net SOURCE...] }`; the first rule that is about a question decides."""
    lists = [AclList(list(reached_zones(line, line.args, block)), list(_rules(line, block))) for line in lines]
    block.emit(AclOp(lists=lists, span=block.span(lines[0])))


def _rules(line: Line, block: BlockContext) -> Iterator[AclRule]:
    """The rules of one list."""
    decided: Line | None = None
    for option in line.block or ():
        name = option.name.text
        action = ACTIONS.get(name.lower())
        if action is None:
            block.error(option, f"unknown action `{name}` of `acl`", suggestion(name, ACTIONS), code="unknown-option")
            continue
        if option.block is not None:
            block.error(option, f"`{name}` takes no block", "remove the braces and what is in them", code="unexpected-block")
        if decided:
            hint = f"the rule at {decided.place} has decided about all questions"
            block.warn(option, "this rule is never reached", hint, code="unreachable-line")
        sections = _sections(option, block)
        types, networks = _types(sections["type"], block), _networks(sections["net"], block)
        if not types and not networks:
            decided = option
        yield AclRule(action=action, types=types, networks=networks, span=block.span(option))


def _sections(option: Line, block: BlockContext) -> dict[str, list[Token]]:
    """The words behind each `type` and `net` of a rule."""
    sections: dict[str, list[Token]] = {name: [] for name in SECTIONS}
    section: list[Token] | None = None
    for number, token in enumerate(option.args, 1):
        if token.text.lower() in SECTIONS:
            section = sections[token.text.lower()]
            if all(behind.text.lower() in SECTIONS for behind in option.args[number : number + 1]):
                block.error(token, f"nothing stands behind `{token.text}`", f"write `{ALL}` for all of them", code="argument-count")
        elif section is not None:
            section.append(token)
        else:
            hint = f"write: {option.name.text} [type QTYPE...] [net SOURCE...]"
            block.error(token, f"`{token.text}` is neither `type` nor `net`", hint, code="unknown-value")
            break
    return sections


def _types(words: Sequence[Token], block: BlockContext) -> list[int]:
    """The record types of a rule; none for all."""
    types: dict[int, None] = {}
    for token in words:
        if token.text == ALL:
            return []
        number = record_type(token, block)
        if number is not None:
            types[number] = None
    return list(types)


def _networks(words: Sequence[Token], block: BlockContext) -> list[str]:
    """The networks of a rule; none for all."""
    networks: dict[str, None] = {}
    for token in words:
        if token.text == ALL:
            return []
        address = None if "%" in token.text else address_or_none(token.text)
        network = Cidr.parse(f"{address}/{address.max_prefixlen}") if address else cidr(token, block)
        if network is None:
            continue
        if isinstance(network.network, IPv6Network) and network.network.subnet_of(_MAPPED):
            block.warn(token, f"no client has an address in `{token.text}`", "write the network of IPv4", code="unreachable-network")
        networks[str(network)] = None
    return list(networks)


DIRECTIVE = Directive(name="acl", compile=compile_acl)

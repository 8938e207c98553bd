"""Rules of `rewrite` about options of EDNS (RFC 6891 6.1.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

from clusterdns.corefile.tree import Token
from clusterdns.directives.block import BlockContext
from clusterdns.directives.options import choice, integer
from clusterdns.plan.rewrites import OptionLabel, OptionOctets, OptionRewrite, OptionSubnet, OptionVariable, Variable

Action = Literal["set", "append", "replace", "unset"]
Data = OptionOctets | OptionVariable | OptionLabel | OptionSubnet
Words = Sequence[Token]

ACTIONS: Mapping[str, Action] = {action: action for action in get_args(Action)}
VARIABLES: Mapping[str, Variable] = {variable: variable for variable in get_args(Variable)}
NO_DATA = OptionOctets(hex="")
NSID = 3
"""RFC 5001"""
SUBNET = 8
"""RFC 7871"""
MOST_CODE = 65535
MOST_DATA = 4096
"""Octets of an option; questions with more do not fit into one packet by far."""

_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9][0-9]*|0")
_OCTETS = re.compile(r"0x((?:[0-9a-fA-F]{2})*)")
_LABEL = re.compile(r"[^{}/]+/[^{}]+")


def compile_edns0(field: Token, words: Words, block: BlockContext) -> OptionRewrite | None:
    """`edns0 local|nsid|subnet ACTION ... [revert]`"""
    syntax = "edns0 local ACTION CODE [DATA] | edns0 nsid ACTION | edns0 subnet ACTION BITS4 BITS6, with `revert` behind it if wanted"
    if len(words) < 2:
        block.error(field, "a rule for `edns0` needs an option and an action", f"write: {syntax}", code="argument-count")
        return None
    kind, action = (choice(word, block, known, any_case=True) for word, known in zip(words, (OPTIONS, ACTIONS), strict=False))
    if kind is None or action is None:
        return None
    rest, unsets = list(words[2:]), action == "unset"
    reverts = not unsets and bool(rest) and rest[-1].text == "revert"
    if reverts:
        rest.pop()
    least, most, compile_option = OPTIONS[kind]
    if len(rest) != (least if unsets else most):
        block.error(field, f"`edns0 {kind} {action}` has {len(rest)} arguments", f"write: {syntax}", code="argument-count")
        return None
    option = compile_option(rest, block)
    if option is None:
        return None
    code, data = option
    return OptionRewrite(action=ACTIONS[action], code=code, data=data, revert=reverts, echo=kind == "local")


def _local(words: Words, block: BlockContext) -> tuple[int, Data] | None:
    """`CODE [DATA]`: hexadecimal with 0x, text, or a variable in braces."""
    if _NUMBER.fullmatch(words[0].text) is None or (code := _integer(words[0].text)) > MOST_CODE:
        block.error(words[0], f"`{words[0].text}` is no code of an option", "write a number up to 65535, like 0xffee", code="bad-value")
        return None
    if not words[1:]:
        return code, NO_DATA
    is_variable = words[1].text.startswith("{") and words[1].text.endswith("}")
    data = _variable(words[1], block) if is_variable else _octets(words[1], block)
    return None if data is None else (code, data)


def _integer(text: str) -> int:
    """A number as Go writes it: 0x, 0b, 0o or a leading 0 say the base."""
    return int(f"0o{text[1:]}", 0) if re.fullmatch("0[0-7]+", text) else int(text, 0)


def _variable(token: Token, block: BlockContext) -> OptionVariable | OptionLabel | None:
    """What is known of the query: in any case, or by a label of its metadata."""
    name = token.text[1:-1]
    if name in VARIABLES:
        return OptionVariable(variable=VARIABLES[name])
    if _LABEL.fullmatch(name):
        block.labels.use(name, token.place)
        return OptionLabel(label=name)
    there_are = ", ".join(f"{{{known}}}" for known in VARIABLES)
    hint = f"there are: {there_are}, and labels of the metadata, like {{view/name}}"
    block.error(token, f"`{token.text}` is no variable", hint, code="unknown-value")
    return None


def _octets(token: Token, block: BlockContext) -> OptionOctets | None:
    """Octets in hexadecimal behind 0x, or a text."""
    found = _OCTETS.fullmatch(token.text)
    if token.text.startswith("0x") and found is None:
        block.error(token, f"`{token.text}` is not hexadecimal", "write two digits for each octet behind 0x", code="bad-value")
        return None
    octets = bytes.fromhex(found[1]) if found else token.text.encode("utf-8", "surrogateescape")
    if len(octets) > MOST_DATA:
        block.error(token, f"an option of {len(octets)} octets is too long", f"write at most {MOST_DATA}", code="bad-value")
        return None
    return OptionOctets(hex=octets.hex())


def _nsid(_: Words, __: BlockContext) -> tuple[int, Data]:
    """A question for the server's identifier has no data."""
    return NSID, NO_DATA


def _subnet(words: Words, block: BlockContext) -> tuple[int, Data] | None:
    """How many bits of the client's address are told, of either family."""
    if not words:
        return SUBNET, NO_DATA
    bits = [integer(word, block, 0, most) for word, most in zip(words, (32, 128), strict=True)]
    ipv4, ipv6 = bits
    return None if ipv4 is None or ipv6 is None else (SUBNET, OptionSubnet(ipv4=ipv4, ipv6=ipv6))


OPTIONS: Mapping[str, tuple[int, int, Callable[[Words, BlockContext], tuple[int, Data] | None]]] = {
    "local": (1, 2, _local),
    "nsid": (0, 0, _nsid),
    "subnet": (0, 2, _subnet),
}
"""How many words each has behind `unset`, and behind other actions."""

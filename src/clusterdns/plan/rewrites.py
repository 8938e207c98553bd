"""Rules of `rewrite`: what they change in a question, and in its answer."""

from __future__ import annotations

from typing import Literal

import msgspec

How = Literal["exact", "prefix", "suffix", "substring", "regex"]


class NameMatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names whose text (lower case, a dot at the end) is, begins with, ends with or has `text`, or matches it as a regular expression."""

    how: How
    text: str


class AnswerRewrite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names in answers in which `pattern` is found become `to`: owners (`name`), or names in the data of records (`value`)."""

    part: Literal["name", "value"]
    pattern: str
    to: str


class NameRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="name", forbid_unknown_fields=True):
    """What matches `name` becomes `to`, in which `{1}` is what the first group of a regular expression has found.

    In the answer `answers` apply, the last one first; with `auto` the new name, and names below it, become the old one again, owners and
    data alike; for `suffix` all names with the new end get the old one.
    """

    name: NameMatch
    to: str
    auto: bool
    answers: list[AnswerRewrite]


class TypeRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="type", forbid_unknown_fields=True, rename={"from_": "from"}):
    """Another type is asked for."""

    from_: int
    to: int


class ClassRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="class", forbid_unknown_fields=True, rename={"from_": "from"}):
    """Another class is asked for."""

    from_: int
    to: int


class OptionOctets(msgspec.Struct, frozen=True, tag_field="kind", tag="octets", forbid_unknown_fields=True):
    """An option's data, hexadecimal."""

    hex: str


Variable = Literal["qname", "qtype", "client_ip", "client_port", "protocol", "server_ip", "server_port"]


class OptionVariable(msgspec.Struct, frozen=True, tag_field="kind", tag="variable", forbid_unknown_fields=True):
    """What is known of the query: names and protocol as text, numbers and addresses in network order."""

    variable: Variable


class OptionLabel(msgspec.Struct, frozen=True, tag_field="kind", tag="label", forbid_unknown_fields=True):
    """The value of a label of the block's metadata. Where it has none the rule does not apply."""

    label: str


class OptionSubnet(msgspec.Struct, frozen=True, tag_field="kind", tag="subnet", forbid_unknown_fields=True):
    """The client's network (RFC 7871 6), of so many bits."""

    ipv4: int
    ipv6: int


class OptionRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="option", forbid_unknown_fields=True):
    """An EDNS option of the question (RFC 6891 6.1.2): `set`, `append` if it is not there, `replace` if it is, or `unset`.

    `revert`: in the answer it is what it was before. `echo`: where nobody said any options in the answer, the client is told it.
    """

    action: Literal["set", "append", "replace", "unset"]
    code: int
    data: OptionOctets | OptionVariable | OptionLabel | OptionSubnet
    revert: bool
    echo: bool


class TtlRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="ttl", forbid_unknown_fields=True):
    """The TTLs in the answer to a question for `name` are at least and at most these seconds."""

    name: NameMatch
    least: int
    most: int


class RcodeRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="rcode", forbid_unknown_fields=True, rename={"from_": "from"}):
    """Another response code is told in answers to questions for `name`."""

    name: NameMatch
    from_: int
    to: int


class CnameRewrite(msgspec.Struct, frozen=True, tag_field="field", tag="cname", forbid_unknown_fields=True):
    """A CNAME record in the answer whose target matches `name` leads to `to`, which is asked of the whole server."""

    name: NameMatch
    to: str


Rewrite = NameRewrite | TypeRewrite | ClassRewrite | OptionRewrite | TtlRewrite | RcodeRewrite | CnameRewrite


class RewriteRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule. If it applies and says `stop`, no rule behind it does."""

    change: Rewrite
    stop: bool
    span: int

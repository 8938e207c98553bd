"""What is computed of a query: conditions of views, variables and conditions of templates."""

from __future__ import annotations

from typing import Literal

import msgspec


class Constant(msgspec.Struct, frozen=True, tag_field="is", tag="constant", forbid_unknown_fields=True):
    """True or false, a number, or a text."""

    value: bool | int | str


FactName = Literal[
    "bufsize", "class", "client_ip", "do", "id", "name", "opcode", "port", "proto", "server_ip", "server_port", "size", "type"
]


class Fact(msgspec.Struct, frozen=True, tag_field="is", tag="fact", forbid_unknown_fields=True):
    """Something about the query: `do` is true or false; `bufsize`, `id`, `opcode` and `size` are numbers; the others are texts."""

    name: FactName


class LabelValue(msgspec.Struct, frozen=True, tag_field="is", tag="label", forbid_unknown_fields=True):
    """The value of a label of the block's metadata, a text; empty where there is none."""

    label: str


class InNetwork(msgspec.Struct, frozen=True, tag_field="is", tag="in_network", forbid_unknown_fields=True):
    """Whether a text is an address in a network (`10.0.0.0/8`). A text that is no address fails, and with it the whole expression."""

    address: Expression
    network: str


class Not(msgspec.Struct, frozen=True, tag_field="is", tag="not", forbid_unknown_fields=True):
    """The contrary."""

    of: Expression


class AllOf(msgspec.Struct, frozen=True, tag_field="is", tag="all", forbid_unknown_fields=True):
    """Whether all are true; the first that is not decides."""

    of: list[Expression]


class AnyOf(msgspec.Struct, frozen=True, tag_field="is", tag="any", forbid_unknown_fields=True):
    """Whether one is true; the first that is decides."""

    of: list[Expression]


Comparison = Literal["==", "!=", "<", "<=", ">", ">=", "startsWith", "endsWith", "contains"]


class Compare(msgspec.Struct, frozen=True, tag_field="is", tag="compare", forbid_unknown_fields=True):
    """Two values of one type. Numbers and texts have an order; only texts begin with, end with and contain others."""

    by: Comparison
    left: Expression
    right: Expression


class OneOf(msgspec.Struct, frozen=True, tag_field="is", tag="one_of", forbid_unknown_fields=True):
    """Whether a value is equal to one of some others, all of one type."""

    value: Expression
    among: list[Expression]


class Matches(msgspec.Struct, frozen=True, tag_field="is", tag="matches", forbid_unknown_fields=True):
    """Whether a pattern occurs in a text."""

    text: Expression
    pattern: str


class Choice(msgspec.Struct, frozen=True, tag_field="is", tag="choice", forbid_unknown_fields=True):
    """One of two values of one type."""

    condition: Expression
    then: Expression
    otherwise: Expression


ExpressionFunction = Literal[
    "+",
    "-",
    "*",
    "%",
    "in",
    "index",
    "slice",
    "incidr",
    "group",
    "abs",
    "hasPrefix",
    "hasSuffix",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "len",
    "lower",
    "max",
    "min",
    "repeat",
    "replace",
    "split",
    "string",
    "trim",
    "trimPrefix",
    "trimSuffix",
    "upper",
]


class Call(msgspec.Struct, frozen=True, tag_field="is", tag="call", forbid_unknown_fields=True):
    """What a function gives for its arguments. What it cannot compute fails, and with it the whole expression.

    `+` adds numbers, or joins texts. `index` and `slice` are `list[1]` and `list[1:2]`. `incidr` has a network that is not known before
    a query comes. `group` is what a group of a template's pattern has matched, by number or name; empty where there is none.
    """

    function: ExpressionFunction
    arguments: list[Expression]


class ListOf(msgspec.Struct, frozen=True, tag_field="is", tag="list", forbid_unknown_fields=True):
    """A list of values of one type."""

    of: list[Expression]


class Each(msgspec.Struct, frozen=True, tag_field="is", tag="each", forbid_unknown_fields=True):
    """What comes of asking `then` of each item of a list; in it `Item` is the item."""

    by: Literal["all", "any", "none", "one", "count", "filter", "map"]
    list: Expression
    then: Expression


class Item(msgspec.Struct, frozen=True, tag_field="is", tag="item", forbid_unknown_fields=True):
    """The item of the innermost `Each`."""


class VariableValue(msgspec.Struct, frozen=True, tag_field="is", tag="variable", forbid_unknown_fields=True):
    """A variable of a template, which has been set before."""

    name: str


Expression = (
    Constant
    | Fact
    | LabelValue
    | InNetwork
    | Not
    | AllOf
    | AnyOf
    | Compare
    | OneOf
    | Matches
    | Choice
    | Call
    | ListOf
    | Each
    | Item
    | VariableValue
)


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An expression that is true or false of a query. `text`: as it was written, for explain."""

    text: str
    expression: Expression

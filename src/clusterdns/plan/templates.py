"""Records that are made from a text and a question: the parts of a template."""

from __future__ import annotations

from typing import Literal

import msgspec

from clusterdns.plan.expressions import Condition, Expression


class ConstantTerm(msgspec.Struct, frozen=True, tag_field="term", tag="constant", forbid_unknown_fields=True):
    """A text, number or truth that is written in the template; None is nothing."""

    value: str | int | bool | None


class DataTerm(msgspec.Struct, frozen=True, tag_field="term", tag="data", forbid_unknown_fields=True):
    """All that is known of the query."""


class DotTerm(msgspec.Struct, frozen=True, tag_field="term", tag="dot", forbid_unknown_fields=True):
    """What `with` or `range` has at hand."""


class VariableTerm(msgspec.Struct, frozen=True, tag_field="term", tag="variable", forbid_unknown_fields=True):
    """What was put into a slot."""

    slot: int


class SetTerm(msgspec.Struct, frozen=True, tag_field="term", tag="set", forbid_unknown_fields=True):
    """Puts a value into a slot; it is that value."""

    slot: int
    value: Term


class FieldTerm(msgspec.Struct, frozen=True, tag_field="term", tag="field", forbid_unknown_fields=True):
    """A part of a value by its name."""

    of: Term
    name: str


class LabelTerm(msgspec.Struct, frozen=True, tag_field="term", tag="label", forbid_unknown_fields=True):
    """The value of a label of the block's metadata, a text; empty where there is none."""

    label: str


class CallTerm(msgspec.Struct, frozen=True, tag_field="term", tag="call", forbid_unknown_fields=True):
    """A function of values."""

    function: TemplateFunction
    arguments: list[Term]


TemplateFunction = Literal[
    "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "index", "slice", "len", "print", "printf", "println", "parseInt"
]


Term = ConstantTerm | DataTerm | DotTerm | VariableTerm | SetTerm | FieldTerm | LabelTerm | CallTerm


class TextPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="text", forbid_unknown_fields=True):
    """A text as it is."""

    text: str


class PrintPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="print", forbid_unknown_fields=True):
    """A value as text."""

    value: Term


class DoPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="do", forbid_unknown_fields=True):
    """A value that is not printed."""

    value: Term


class IfBranch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part for a value that is not empty."""

    value: Term
    then: list[Piece]


class IfPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="if", forbid_unknown_fields=True):
    """The first of the branches whose value is not empty, or another part."""

    branches: list[IfBranch]
    otherwise: list[Piece]


class WithPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="with", forbid_unknown_fields=True):
    """A part for a value that is not empty, with the value at hand; or another part."""

    value: Term
    then: list[Piece]
    otherwise: list[Piece]


class RangePiece(msgspec.Struct, frozen=True, tag_field="piece", tag="range", forbid_unknown_fields=True):
    """A part for each item of a value, with the item at hand; another part if there is none. Slots get the item and its key."""

    value: Term
    key: int | None
    item: int | None
    then: list[Piece]
    otherwise: list[Piece]


class BreakPiece(msgspec.Struct, frozen=True, tag_field="piece", tag="break", forbid_unknown_fields=True):
    """Ends the innermost range."""


class ContinuePiece(msgspec.Struct, frozen=True, tag_field="piece", tag="continue", forbid_unknown_fields=True):
    """Goes on with the next item of the innermost range."""


Piece = TextPiece | PrintPiece | DoPiece | IfPiece | WithPiece | RangePiece | BreakPiece | ContinuePiece


class RecordTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text of a record, made for each query. `source` is how Go prints the template, for metrics."""

    source: str
    pieces: list[Piece]


class ExtendedError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """More about why an answer is what it is (RFC 8914)."""

    code: int
    text: str


class TemplateVariable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that is computed for each query, once; later expressions and the records may use it. `text`: as written, for explain."""

    name: str
    text: str
    expression: Expression


class TemplateRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is said to questions of a class and type for names under `zones` that one of `patterns` matches (none: all names).

    When a pattern has the name, `variables` are set in their order, and all of `conditions` have to be true. Names that no pattern
    matches, or for which a condition is false, go to the next rule where `fallthrough` has a zone for them; others are SERVFAIL.
    """

    qclass: int
    qtype: int
    zones: list[str]
    patterns: list[str]
    answer: list[RecordTemplate]
    authority: list[RecordTemplate]
    additional: list[RecordTemplate]
    rcode: int
    extended_error: ExtendedError | None
    fallthrough: list[str]
    span: int
    variables: list[TemplateVariable] = []
    conditions: list[Condition] = []

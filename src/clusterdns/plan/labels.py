"""Labels of a query's metadata, and where their values come from."""

from __future__ import annotations

import msgspec


class TextLabel(msgspec.Struct, frozen=True, tag_field="is", tag="text", forbid_unknown_fields=True):
    """A label that is always the same."""

    text: str


class UpstreamLabel(msgspec.Struct, frozen=True, tag_field="is", tag="upstream", forbid_unknown_fields=True):
    """The address and port of the upstream that was asked last."""


class AddressLabel(msgspec.Struct, frozen=True, tag_field="is", tag="address", forbid_unknown_fields=True):
    """What a local zone knows of the client's address: the value at this place (`zones.AddressLabels`)."""

    zone: str
    at: int


LabelSource = TextLabel | UpstreamLabel | AddressLabel


class NamePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One label of a name, or, with `rest`, all that are left of it. Its text without `prefix` is the value of `label` (empty: of none).

    `words`: what it may be (empty: anything). `prefixed`: it has to begin with `prefix`.
    """

    label: str = ""
    words: list[str] = []
    prefix: str = ""
    prefixed: bool = False
    rest: bool = False


class NameGrammar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Labels that are parts of the name that is asked for, if it is under one of `origins`.

    The first of `shapes` that it has decides: its parts are counted leftwards from the origin. Labels that other shapes have are
    empty then. A name without any of the shapes has the label `error` only, with this `message`.
    """

    origins: list[str]
    shapes: list[list[NamePart]]
    error: str
    message: str


class Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the block can tell of a query, by label, for logs and conditions. Only names under `zones` have labels, upstreams excepted."""

    zones: list[str]
    labels: dict[str, LabelSource]
    names: list[NameGrammar]

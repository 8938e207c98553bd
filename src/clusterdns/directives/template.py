"""`template`: answers with records made from the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from clusterdns.corefile.problems import Place
from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.conditions import condition, value
from clusterdns.directives.options import arguments, integer, options, pattern, rcode, reached_zones, record_class, record_type, zones
from clusterdns.expressions import Surroundings, Type, what_is_wrong_with_name
from clusterdns.names import ROOT
from clusterdns.patterns import Pattern
from clusterdns.plan.expressions import Condition
from clusterdns.plan.ops import TemplateOp
from clusterdns.plan.templates import ExtendedError, RecordTemplate, TemplateRule, TemplateVariable
from clusterdns.templates import Template, TemplateError, parse_template
from clusterdns.zonefile import check_record

SECTIONS = ("answer", "authority", "additional")
OPTIONS = ("match", "var", "expr", *SECTIONS, "rcode", "ederror", "fallthrough", "upstream")
MOST_ERROR = 65535
"""Codes of extended errors have 16 bits (RFC 8914 2)."""
MOST_REASON = 1024
"""Octets of a reason: it has to fit into a datagram beside the answer."""


@dataclass
class _Options:
    """What the block of a line says."""

    patterns: list[Pattern] = field(default_factory=list)
    sections: dict[str, list[RecordTemplate]] = field(default_factory=lambda: {name: [] for name in SECTIONS})
    groups: list[tuple[str, Place]] = field(default_factory=list)
    """Groups that templates and expressions ask for; `used`: variables that templates ask for."""
    used: list[tuple[str, Place]] = field(default_factory=list)
    variables: list[TemplateVariable] = field(default_factory=list)
    types: dict[str, Type] = field(default_factory=dict)
    """The types of the variables so far."""
    conditions: list[Condition] = field(default_factory=list)
    rcode: int = 0
    error: ExtendedError | None = None
    fallthrough: tuple[str, ...] = ()


def compile_template(lines: Sequence[Line], block: BlockContext) -> None:
    """`template CLASS TYPE [ZONES...] { match REGEX... answer RR... rcode CODE ... }`; the first rule that is about a question decides."""
    rules: list[TemplateRule] = []
    for line in lines:
        words = arguments(line, block, "template CLASS TYPE [ZONES...]")
        said = _options(line, block)
        if not words:
            continue
        qclass, qtype = record_class(words[0], block), record_type(words[1], block)
        names = reached_zones(line, words[2:], block)
        if qclass is None or qtype is None:
            continue
        rules.append(
            TemplateRule(
                qclass=qclass,
                qtype=qtype,
                zones=list(names),
                patterns=[pattern.text for pattern in said.patterns],
                answer=said.sections["answer"],
                authority=said.sections["authority"],
                additional=said.sections["additional"],
                rcode=said.rcode,
                extended_error=said.error,
                fallthrough=list(said.fallthrough),
                span=block.span(line),
                variables=said.variables,
                conditions=said.conditions,
            )
        )
    if rules:
        block.emit(TemplateOp(rules=rules, span=block.span(lines[0])))


def _options(line: Line, block: BlockContext) -> _Options:
    """The options of a line; of those that stand once the last counts."""
    said = _Options()
    for option in options(line, block, OPTIONS):
        match option.name.text:
            case "match":
                words = arguments(option, block, "match REGEX...") or ()
                said.patterns += [found for word in words if (found := pattern(word, block))]
            case "rcode":
                words = arguments(option, block, "rcode CODE") or ()
                said.rcode = next((code for word in words if (code := rcode(word, block)) is not None), said.rcode)
            case "ederror":
                said.error = _extended_error(option, block) or said.error
            case "fallthrough":
                said.fallthrough = zones(option.args, block) if option.args else (ROOT,)
            case "upstream":
                block.warn(option, "`upstream` has no effect", "aliases are followed in any case; remove the line", code="no-effect")
            case "var":
                _add_variable(said, option, block)
            case "expr":
                words = arguments(option, block, "expr EXPRESSION...") or ()
                if words and (written := condition(words, block, Surroundings(said.types, has_groups=True))):
                    said.groups += written.groups
                    said.conditions.append(Condition(written.text, written.parsed.expression))
            case section:
                for word in arguments(option, block, f"{section} RR...") or ():
                    _add_record(said, section, word, block)
    _warn_of_groups(said, block)
    for name, place in said.used:
        if name not in said.types:
            hint = f"there are: {', '.join(said.types)}" if said.types else f"write: var {name} EXPRESSION"
            block.warn(place, f"no `var` sets `{name}`", hint, code="unknown-variable")
    return said


def _add_variable(said: _Options, option: Line, block: BlockContext) -> None:
    """`var NAME EXPRESSION...`; the expression may use the variables before it."""
    words = arguments(option, block, "var NAME EXPRESSION...")
    if not words:
        return
    name = words[0]
    if wrong := what_is_wrong_with_name(name.text):
        block.error(name, wrong, "write: var NAME EXPRESSION", code="bad-name")
    elif name.text in said.types:
        block.error(name, f"the variable `{name.text}` is set twice", "give the second one another name", code="used-twice")
    elif written := value(words[1:], block, Surroundings(said.types, has_groups=True)):
        said.groups += written.groups
        said.types[name.text] = written.parsed.type
        said.variables.append(TemplateVariable(name.text, written.text, written.parsed.expression))


def _add_record(said: _Options, section: str, word: Token, block: BlockContext) -> None:
    """One more record of a section."""
    try:
        template = parse_template(word.text)
    except TemplateError as problem:
        block.error(word.place_at(problem.at), str(problem), problem.hint, code="bad-template")
        return
    if _is_possible(template, word, block):
        said.sections[section].append(template.record)
        said.groups += [(name, word.place_at(at)) for name, at in template.groups]
        said.used += [(name, word.place_at(at)) for name, at in template.variables]
        for label, at in template.labels:
            block.labels.use(label, word.place_at(at))


def _is_possible(template: Template, word: Token, block: BlockContext) -> bool:
    """Whether a text that is the same for all queries is a record."""
    if template.fixed is not None:
        try:
            check_record(template.fixed)
        except ValueError as problem:
            block.error(word, str(problem), "write: NAME TTL IN TYPE DATA", code="bad-record")
            return False
    return True


def _extended_error(option: Line, block: BlockContext) -> ExtendedError | None:
    """`ederror CODE [REASON]`"""
    words = arguments(option, block, "ederror CODE [REASON]")
    code = integer(words[0], block, 0, MOST_ERROR) if words else None
    if not words or code is None:
        return None
    reason = words[1].text if len(words) > 1 else ""
    if len(reason.encode("utf-8", "surrogateescape")) > MOST_REASON:
        block.error(words[1], f"the reason is longer than {MOST_REASON} octets", code="bad-value")
        return None
    return ExtendedError(code, reason)


def _warn_of_groups(said: _Options, block: BlockContext) -> None:
    """Groups that no pattern has: what is written in their place is no record."""
    known = {name for found in said.patterns for name in found.groups if name}
    numbers = max((len(found.groups) for found in said.patterns), default=0)
    for name, place in said.groups:
        if name not in known and not (name.isdigit() and int(name) <= numbers):
            hint = f"there are: {', '.join(sorted(known))}" if known else "write (?P<NAME>...) in a `match`"
            block.warn(place, f"no pattern has a group `{name}`", hint, code="unknown-group")


DIRECTIVE = Directive(name="template", compile=compile_template)

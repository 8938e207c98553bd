"""`log`: a line for each query."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, choice, options, reached_zones
from clusterdns.names import ROOT, is_subdomain
from clusterdns.plan.ops import LogClass, LogOp, LogRule

COMMON = '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}'
COMBINED = f'{COMMON} "{{>opcode}}"'

VALUES = (
    *("type", "name", "class", "proto", "size", "remote", "port", "local", ">id", ">opcode", ">do", ">bufsize"),
    *("rcode", "rsize", ">rflags", "duration"),
)
OWN_LABELS = ("/log/type", "/log/class")
"""Metadata that only a line of the log can have: what kind of reply it is."""
CLASSES: dict[str, list[LogClass]] = {
    "all": ["success", "denial", "error"],
    "success": ["success"],
    "denial": ["denial"],
    "error": ["error"],
}

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def compile_log(lines: Sequence[Line], block: BlockContext) -> None:
    """`log [ZONES...] [FORMAT] { class all|success|denial|error... }`; the first line whose zone has the name counts."""
    rules: list[LogRule] = []
    for line in lines:
        names, text = _split_format(line, block)
        classes: list[LogClass] = []
        for option in options(line, block, ("class",)):
            for word in arguments(option, block, "class all|success|denial|error...") or ():
                classes += CLASSES.get(choice(word, block, CLASSES) or "", [])
        pieces = _pieces(line, text, block)
        wanted = list(dict.fromkeys(classes)) or CLASSES["all"]
        for zone in reached_zones(line, names, block) if names else (ROOT,):
            if any(is_subdomain(zone, rule.zone) for rule in rules):
                hint = "put the longer zone first"
                block.warn(line, f"queries for `{zone}` are logged by a line before", hint, code="unreachable-line")
            rules.append(LogRule(zone, pieces, wanted))
    block.emit(LogOp(rules=rules, span=block.span(lines[0])))


def _split_format(line: Line, block: BlockContext) -> tuple[Sequence[Token], str]:
    """The zones, and the format: the last word, if it has a brace and is not the only one."""
    if not line.args or "{" not in line.args[-1].text:
        return line.args, COMMON
    if len(line.args) == 1:
        word = line.args[0]
        block.warn(word, f"`{word.text}` is read as a zone", "write the zones before the format: log . FORMAT", code="format-as-zone")
        return line.args, COMMON
    return line.args[:-1], line.args[-1].text.replace("{common}", COMMON).replace("{combined}", COMBINED)


def _pieces(line: Line, text: str, block: BlockContext) -> list[str]:
    """The format as texts and values in turn, a text first. What is in braces and is no value stays as it is."""
    pieces = [""]
    end = 0
    values = VALUES if block.labels.zones is None else (*VALUES, *OWN_LABELS)
    for found in _PLACEHOLDER.finditer(text):
        name = found[1]
        if name.startswith("/") and name not in values:
            block.labels.use(name[1:], line.place)
            name = "" if name in OWN_LABELS else name
        elif name not in values:
            block.warn(line, f"`{found[0]}` is no value of a query", f"there are: {', '.join(VALUES)}", code="unknown-placeholder")
            continue
        pieces[-1] += text[end : found.start()]
        pieces += [name, ""]
        end = found.end()
    pieces[-1] += text[end:]
    return pieces


DIRECTIVE = Directive(name="log", compile=compile_log)

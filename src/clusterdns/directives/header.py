"""`header`: set or clear flags of questions and of answers."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import choice, suggestion
from clusterdns.plan.ops import Flags, HeaderOp

FLAGS = ("aa", "ra", "rd")
ACTIONS = {"set": True, "clear": False}
SYNTAX = "query|response set|clear FLAG..."
NO_FLAGS = Flags(aa=None, ra=None, rd=None)


def compile_header(lines: Sequence[Line], block: BlockContext) -> None:
    """`header { query|response set|clear FLAG... }`; the first line counts."""
    for line in lines[1:]:
        block.warn(line, "only the first `header` of a block counts", f"it stands at {lines[0].place}", code="used-twice")
    ops = [_compile_line(line, block) for line in lines]
    block.emit(ops[0])


def _compile_line(line: Line, block: BlockContext) -> HeaderOp:
    """One line with its rules; of rules about the same flag the last one counts."""
    if line.args or not line.block:
        block.error(line, "`header` takes its rules in a block", f"write: header {{ {SYNTAX} }}", code="argument-count")
    changes = {"query": NO_FLAGS, "response": NO_FLAGS}
    for rule in line.block or ():
        selector, action, flags = _parts(rule, block)
        if selector not in changes:
            block.error(rule, f"unknown option `{selector}` of `header`", suggestion(selector, changes), code="unknown-option")
        elif action is None or not flags:
            block.error(rule, "a rule needs an action and at least one flag", f"write: {SYNTAX}", code="argument-count")
        elif word := choice(action, block, ACTIONS, any_case=True):
            names = [name for flag in flags if (name := choice(flag, block, FLAGS, any_case=True))]
            changes[selector] = structs.replace(changes[selector], **dict.fromkeys(names, ACTIONS[word]))
    return HeaderOp(query=changes["query"], response=changes["response"], span=block.span(line))


def _parts(rule: Line, block: BlockContext) -> tuple[str, Token | None, tuple[Token, ...]]:
    """A rule's selector, action and flags. The form without a selector is from older versions, and means answers."""
    selector = rule.name.text.lower()
    if selector in ACTIONS:
        block.warn(rule, "a rule without a selector means answers", f"write: response {rule.text}", code="old-form")
        return "response", rule.name, rule.args
    return selector, rule.args[0] if rule.args else None, rule.args[1:]


DIRECTIVE = Directive(name="header", compile=compile_header)

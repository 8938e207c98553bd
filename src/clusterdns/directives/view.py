"""`view`: the queries that come to this block, where others serve the same zone."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.problems import Place
from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, options
from clusterdns.expressions import ExpressionError, parse_expression
from clusterdns.plan import Condition, TextLabel

LABEL = "view/name"


def compile_view(lines: Sequence[Line], block: BlockContext) -> None:
    """`view NAME { expr EXPRESSION... }`; all expressions have to be true."""
    line = lines[0]
    for name in arguments(line, block, "view NAME") or ():
        block.view = name.text
        block.labels.offer(LABEL, TextLabel(name.text))
    for option in options(line, block, ("expr",)):
        words = arguments(option, block, "expr EXPRESSION...")
        if words:
            _compile_condition(words, block)


def _compile_condition(words: Sequence[Token], block: BlockContext) -> None:
    """One expression: its words with single blanks between them, as in CoreDNS."""
    text = " ".join(word.text for word in words)
    try:
        parsed = parse_expression(text)
    except ExpressionError as problem:
        block.error(_place(words, problem.at), str(problem), problem.hint, code="bad-expression")
        return
    for label in parsed.labels:
        block.labels.use(label.name, _place(words, label.at))
    block.when.append(Condition(text, parsed.expression))


def _place(words: Sequence[Token], at: int) -> Place:
    """Where in the Corefile an offset of the joined words is; a quote before it does not count."""
    for word in words:
        if at <= len(word.text):
            return Place(word.place.file, word.place.line, word.place.column + at)
        at -= len(word.text) + 1
    return words[-1].place


DIRECTIVE = Directive(name="view", compile=compile_view, once=True)

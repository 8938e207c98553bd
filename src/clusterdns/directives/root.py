"""`root`: the folder in which files of other directives are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from glob import escape

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, no_block


def compile_root(lines: Sequence[Line], block: BlockContext) -> None:
    """`root PATH`; the last line counts."""
    for line in lines:
        no_block(line, block)
        for word in arguments(line, block, "root PATH") or ():
            block.root = word.text
            if not block.sources.glob(escape(word.text)):
                hint = "relative paths in this block lead there; it may appear later"
                block.warn(word, f"the folder {word.text} does not exist", hint, code="missing-root")


DIRECTIVE = Directive(name="root", compile=compile_root)

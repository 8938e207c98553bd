"""A Corefile as a tree: server blocks, their lines, and the words of each with their places.

Knows what a Corefile looks like once imports and variables are in place. Must not know what a directive means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from clusterdns.corefile.problems import Place
from clusterdns.digests import sha512


@dataclass(frozen=True)
class Token:
    """One word, variables replaced, quotes removed. `quoted`: it was written in quotes."""

    text: str
    place: Place
    quoted: bool = field(default=False, compare=False)

    def place_at(self, offset: int) -> Place:
        """Where a character of the text is in the file, if no variable stands before it."""
        before = self.text[:offset]
        written = '"' + before.replace('"', '\\"') if self.quoted else before
        lines = written.count("\n")
        column = self.place.column + len(written) if not lines else len(written) - written.rindex("\n")
        return Place(self.place.file, self.place.line + lines, column)


class Line(msgspec.Struct, frozen=True):
    """A directive, or an option inside one: its name, its arguments and, if it opens one, its block."""

    name: Token
    args: tuple[Token, ...] = ()
    block: tuple[Line, ...] | None = None

    @property
    def place(self) -> Place:
        """Where the line begins."""
        return self.name.place

    @property
    def text(self) -> str:
        """The line's words, as one text."""
        return " ".join(token.text for token in (self.name, *self.args))


class ServerBlock(msgspec.Struct, frozen=True):
    """Keys (what to serve, on which port) and the directives that apply to all of them."""

    keys: tuple[Token, ...]
    lines: tuple[Line, ...]


class Tree(msgspec.Struct, frozen=True):
    """All server blocks, in the order of the files."""

    blocks: tuple[ServerBlock, ...]


def tree_hash(tree: Tree) -> str:
    """SHA-512 of what the tree says, in hex. Places, comments and white space do not count."""
    digest = sha512()
    for part in _parts(tree):
        digest.update(f"{len(part)}:{part}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _parts(tree: Tree) -> Iterator[str]:
    """The tree as a sequence of texts that no other tree has."""
    for block in tree.blocks:
        yield f"keys {len(block.keys)}"
        yield from (key.text for key in block.keys)
        yield from _line_parts(block.lines)


def _line_parts(lines: tuple[Line, ...]) -> Iterator[str]:
    """The same for lines and what they hold."""
    yield f"lines {len(lines)}"
    for line in lines:
        yield f"words {1 + len(line.args)}"
        yield line.name.text
        yield from (token.text for token in line.args)
        if line.block is None:
            yield "no block"
        else:
            yield from _line_parts(line.block)

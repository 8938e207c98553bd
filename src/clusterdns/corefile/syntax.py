"""Text to tree: the grammar of the Corefile (rules G1 to G5).

    file         = { "import" WORD | snippet | server block }
    snippet      = "(" NAME ")" "{" { line } "}"
    server block = KEY { KEY } ( "{" { line } "}" | { line } end of file )
    line         = WORD { WORD } [ "{" { line } "}" ]

All problems are found in one go: after each the parser goes on where a person would. Must not know directives or keys.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from clusterdns.corefile.lexer import Word
from clusterdns.corefile.problems import Problem, Severity, has_errors
from clusterdns.corefile.repair import unclosed
from clusterdns.corefile.tree import Line, ServerBlock, Token, Tree, tree_hash
from clusterdns.corefile.words import Words
from clusterdns.sources import Sources

__all__ = ["DEFAULT_COREFILE", "Line", "Parsed", "ServerBlock", "Token", "Tree", "parse_corefile", "tree_hash"]

DEFAULT_COREFILE = ".:53 {\n    whoami\n    log\n}\n"
"""What is served when there is no Corefile, or one without a server block (rule G9)."""

_DEEPEST = 50


class Parsed(msgspec.Struct, frozen=True):
    """What a Corefile says. With errors among the problems the tree is what could be understood. `texts`: the files read, by path."""

    tree: Tree
    problems: tuple[Problem, ...]
    texts: Mapping[str, str]

    @property
    def files(self) -> tuple[str, ...]:
        """The Corefile and what it imports, in the order of reading."""
        return tuple(self.texts)


def parse_corefile(path: str, sources: Sources) -> Parsed:
    """Read a Corefile and what it imports. Never raises: what is wrong is among the problems."""
    parser = _Parser(Words(sources, repair=False))
    parsed = parser.parse(path)
    if parser.braces_match:
        return parsed
    repaired = _Parser(Words(sources, repair=True)).parse(path)
    errors = {problem.place for problem in repaired.problems if problem.severity is Severity.ERROR}
    if has_errors(parsed.problems):
        return repaired if errors else parsed
    # What CoreDNS starts with is no error, unless the indentation tells that something else was meant.
    return parsed if errors <= {problem.place for problem in parsed.problems} else repaired


class _Parser:
    """Reads one Corefile; what is wrong is added to the problems of its words."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self.braces_match = True

    def parse(self, path: str) -> Parsed:
        """The whole file."""
        self._words.open(path)
        blocks: list[ServerBlock] = []
        while word := self._words.peek():
            if word.text == "}":
                self._stray_brace()
            elif block := self._block():
                blocks.append(block)
        self._words.end()
        return Parsed(Tree(tuple(blocks)), tuple(self._words.problems), self._words.texts)

    def _block(self) -> ServerBlock | None:
        """A server block, or a snippet, which is kept for later."""
        keys = self._keys()
        opening = self._words.peek()
        if opening and len(keys) == 1 and keys[0].text.startswith("(") and keys[0].text.endswith(")"):
            self._snippet(keys[0])
            return None
        if opening is None:
            lines: tuple[Line, ...] = ()
        elif opening.text == "{":
            self._words.take()
            lines = self._lines(opening, depth=1)
        else:
            lines = self._lines(None, depth=1)
        if not keys:
            if lines:
                message, hint = "this block has no key: nothing in it is served", "write a zone before the `{`, like .:53"
                self._words.problems.append(Problem(Severity.WARNING, "no-key", lines[0].place, message, hint))
            return None
        return ServerBlock(keys, lines)

    def _keys(self) -> tuple[Token, ...]:
        """The keys of a block: words up to the end of the line or a brace; a comma lets the list go on on the next line."""
        keys: list[Token] = []
        seen, comma = False, None
        while word := self._words.peek():
            if seen and word.starts_line and not comma:
                break
            text = self._words.text(word)
            if text == "import" and word.starts_line:
                self._words.import_here()
                continue
            if word.text == "{" or (word.text == "}" and word.starts_line):
                break
            self._words.take()
            seen = True
            if text:  # a variable that is not set leaves nothing
                comma = word if text.endswith(",") else None
                keys.append(Token(text.removesuffix(","), word.place))
        if comma:
            self._words.error("dangling-comma", comma.place, "a key must follow the comma", "remove the comma")
        return tuple(keys)

    def _snippet(self, key: Token) -> None:
        """Keep the words of a snippet as they are: variables and imports in it count where it is imported."""
        name, opening = key.text[1:-1], self._words.peek()
        if opening is None or opening.text != "{":
            self._words.error("snippet-without-block", key.place, f"the snippet ({name}) has no block", f"write: ({name}) {{")
            return
        self._words.take()
        body: list[Word] = []
        depth = 1
        while word := self._words.take():
            depth += {"{": 1, "}": -1}.get(word.text, 0)
            if depth == 0:
                break
            body.append(word)
        else:
            self._unclosed(opening)
        self._words.define(name, key.place, body)

    def _lines(self, opening: Word | None, depth: int) -> tuple[Line, ...]:
        """The lines of a block up to its brace; without an opening brace, up to the end of the file."""
        lines: list[Line] = []
        while word := self._words.peek():
            if word.text == "}":
                if opening is None:
                    break
                self._words.take()
                return tuple(lines)
            if word.text == "import":
                self._words.import_here()
            elif word.text == "{":
                message, hint = "this `{` belongs to no directive", "put it at the end of the directive's line"
                self._words.error("lone-brace", word.place, message, hint)
                self._words.take()
                self._skip_block(word)
            else:
                lines.append(self._line(depth))
        if opening:
            # CoreDNS takes the brace that ended the last directive for the one of the server block too.
            forgiven = depth == 1 and bool(lines) and lines[-1].block is not None
            self._unclosed(opening, Severity.WARNING if forgiven else Severity.ERROR)
        return tuple(lines)

    def _line(self, depth: int) -> Line:
        """A directive or an option with its arguments and its block."""
        name, *args = self._line_words(depth)
        block = None
        opening = self._words.peek()
        if opening and opening.text == "{":
            self._words.take()
            if opening.starts_line:
                message, hint = "`{` must stand on the line of its directive", f"write: {name.text} {{"
                self._words.error("brace-on-next-line", opening.place, message, hint)
            if depth == _DEEPEST:
                self._words.error("too-deep", opening.place, f"blocks are nested more than {_DEEPEST} deep")
                self._skip_block(opening)
            else:
                block = self._lines(opening, depth + 1)
            self._end_of_line()
        return Line(name, tuple(args), block)

    def _line_words(self, depth: int) -> list[Token]:
        """The words of a line up to its end or its block."""
        tokens: list[Token] = []
        while word := self._words.peek():
            if word.text == "{" or (tokens and word.starts_line):
                break
            if word.text == "}":
                if depth == 1 or len(tokens) > 1:
                    self._brace_in_line(word)
                break
            self._words.take()
            tokens.append(Token(self._words.text(word), word.place, word.quoted))
        return tokens

    def _end_of_line(self) -> None:
        """Nothing may follow the brace that closes a directive's block."""
        word = self._words.peek()
        if word is None or word.starts_line:
            return
        if word.text == "}":
            self._brace_in_line(word)
            return
        message, hint = f"`{word.text}` stands behind the `}}` that ended its line", "begin a new line for it"
        self._words.error("text-after-brace", word.place, message, hint)
        while (word := self._words.peek()) and not word.starts_line and word.text not in ("{", "}"):
            self._words.take()

    def _skip_block(self, opening: Word) -> None:
        """Leave out a block whose brace has been taken."""
        depth = 1
        while depth and (word := self._words.take()):
            depth += {"{": 1, "}": -1}.get(word.text, 0)
        if depth:
            self._unclosed(opening)

    def _brace_in_line(self, word: Word) -> None:
        """A `}` behind other words; it is taken as what it was probably meant to be."""
        self._words.error("brace-in-line", word.place, "`}` must stand on a line of its own", "put a line break before it")

    def _unclosed(self, opening: Word, severity: Severity = Severity.ERROR) -> None:
        """A `{` without its `}`."""
        self.braces_match = False
        self._words.problems.append(unclosed(opening.place, severity))

    def _stray_brace(self) -> None:
        """A `}` without its `{`. CoreDNS starts with one as the last word of the file, so that is no error."""
        word = self._words.take()
        assert word is not None
        self.braces_match = False
        severity = Severity.ERROR if self._words.peek() else Severity.WARNING
        message, hint = "this `}` closes nothing", "remove it, or look for a `}` above that closes too early"
        self._words.problems.append(Problem(severity, "stray-brace", word.place, message, hint))

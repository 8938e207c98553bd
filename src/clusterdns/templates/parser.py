"""From texts and actions to a tree of the plan; names, functions and variables are checked, size and depth are bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, NamedTuple, get_args

from clusterdns.plan.templates import (
    BreakPiece,
    CallTerm,
    ConstantTerm,
    ContinuePiece,
    DataTerm,
    DoPiece,
    DotTerm,
    FieldTerm,
    IfBranch,
    IfPiece,
    LabelTerm,
    Piece,
    PrintPiece,
    RangePiece,
    RecordTemplate,
    SetTerm,
    TemplateFunction,
    Term,
    TextPiece,
    VariableTerm,
    WithPiece,
)
from clusterdns.templates.tokens import Action, TemplateError, Token, read_template

MOST_PARTS: Final = 1000
MOST_NESTED: Final = 20
"""The engine reads plans that are nested 128 deep; a level of a template, or of a pipeline, takes two of them."""
MOST_SLOTS: Final = 32

FIELDS: Final = ("Class", "Group", "Match", "Message", "Meta", "Name", "Question", "Regex", "Remote", "Type", "Var", "Zone")
"""What is known of a query."""
PARTS: Final = {
    "Message": (
        *("Id", "Opcode", "Rcode", "Response", "Authoritative", "Truncated", "RecursionDesired", "RecursionAvailable", "Zero"),
        *("AuthenticatedData", "CheckingDisabled", "Question"),
    ),
    "Question": ("Name", "Qtype", "Qclass"),
}
MAPS: Final = ("Group", "Var")
"""Those that are maps, whose keys the Corefile tells."""
TEXTS: Final = ("Class", "Name", "Regex", "Remote", "Type", "Zone")
"""Those that are texts and have no parts."""

_STAR = re.compile(r"%[-+# 0-9.\[\]]*\*")
_UNLIMITED = 100
_ARGUMENTS: dict[TemplateFunction, tuple[int, int]] = {
    **{"and": (1, _UNLIMITED), "or": (1, _UNLIMITED), "not": (1, 1), "len": (1, 1), "index": (1, _UNLIMITED), "slice": (1, 3)},
    **{"eq": (2, _UNLIMITED), "ne": (2, 2), "lt": (2, 2), "le": (2, 2), "gt": (2, 2), "ge": (2, 2)},
    **{"print": (0, _UNLIMITED), "println": (0, _UNLIMITED), "printf": (1, _UNLIMITED), "parseInt": (3, 3)},
}
"""How many arguments each function takes."""
_NOT_HERE = ("call", "html", "js", "urlquery", "define", "template", "block")
_KEYWORDS = ("if", "else", "end", "with", "range", "break", "continue")
_ENDS = ("else", "end")


@dataclass(frozen=True)
class Template:
    """A template that was read. `groups`, `variables` and `labels`: those that it names, with the places of their names.

    `variables`: those that expressions have set.
    """

    record: RecordTemplate
    groups: tuple[tuple[str, int], ...]
    variables: tuple[tuple[str, int], ...]
    labels: tuple[tuple[str, int], ...]

    @property
    def fixed(self) -> str | None:
        """The text, if it is the same for all queries."""
        pieces = self.record.pieces
        if all(isinstance(piece, TextPiece) for piece in pieces):
            return "".join(piece.text for piece in pieces if isinstance(piece, TextPiece))
        return None


def parse_template(text: str) -> Template:
    """A template from its text. Raises `TemplateError`."""
    parser = _Parser(read_template(text))
    pieces, source, end = parser.pieces()
    if end:
        raise TemplateError(end.at, f"`{end.tokens[0].text}` belongs to nothing", "remove it")
    return Template(RecordTemplate(source, pieces), tuple(parser.keys["Group"]), tuple(parser.keys["Var"]), tuple(parser.labels))


class _End(NamedTuple):
    """An `else` or `end`, and what reads the tokens behind that word."""

    action: Action
    reader: _Pipeline

    def is_else(self, word: str) -> bool:
        """Whether it is `else` with another condition; the word is read then."""
        found = self.action.tokens[0].is_("else") and self.action.tokens[1].is_(word)
        if found:
            self.reader.take()
        return found


class _Part(NamedTuple):
    """A value of an action: its term, how Go prints it, where it begins, how deep it is."""

    term: Term
    text: str
    at: int
    depth: int = 1


@dataclass
class _Parser:
    """Reads texts and actions from left to right."""

    rest: Iterator[str | Action]
    keys: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: {name: [] for name in MAPS})
    """The keys that are asked for of each map of the query."""
    labels: list[tuple[str, int]] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    """Names by slot; the last one of a name is meant."""
    nested: int = 0
    ranges: int = 0
    dot_is_data: bool = True
    parts: int = 0

    def pieces(self) -> tuple[list[Piece], str, Action | None]:
        """The pieces up to an `else` or `end`, how Go prints them, and that action."""
        pieces: list[Piece] = []
        source = ""
        for item in self.rest:
            self.count(0)
            if isinstance(item, str):
                pieces.append(TextPiece(item))
                source += item
                continue
            if item.tokens[0].is_(*_ENDS):
                return pieces, source, item
            piece, text = self.action(item)
            pieces.append(piece)
            source += text
        return pieces, source, None

    def count(self, at: int) -> None:
        """One more part: there may not be too many."""
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise TemplateError(at, f"the template has more than {MOST_PARTS} parts")

    def action(self, action: Action) -> tuple[Piece, str]:
        """What an action does, and how Go prints it."""
        reader = _Pipeline(self, action.tokens)
        first = action.tokens[0]
        if first.is_("if", "with", "range"):
            reader.take()
            return self.control(first, reader)
        if first.is_("break", "continue"):
            reader.take()
            reader.finish()
            if not self.ranges:
                raise TemplateError(first.at, f"`{first.text}` stands in no `range`", "remove it")
            return BreakPiece() if first.text == "break" else ContinuePiece(), f"{{{{{first.text}}}}}"
        value, sets = reader.whole("an action")
        if isinstance(value.term, DataTerm):
            raise TemplateError(first.at, "the query as a whole has no text", f"there are: {', '.join(f'.{name}' for name in FIELDS)}")
        return DoPiece(value.term) if sets else PrintPiece(value.term), f"{{{{{value.text}}}}}"

    def control(self, word: Token, reader: _Pipeline) -> tuple[Piece, str]:
        """`if`, `with` or `range` up to its `end`, with what was read of its action."""
        known = len(self.variables)
        self.nested += 1
        if self.nested > MOST_NESTED:
            raise TemplateError(word.at, f"the template is nested more than {MOST_NESTED} deep")
        piece, source = {"if": self.choice, "with": self.with_, "range": self.range}[word.text](word, reader)
        self.nested -= 1
        del self.variables[known:]
        return piece, source

    def choice(self, word: Token, reader: _Pipeline) -> tuple[Piece, str]:
        """`if` with all of its `else if`."""
        value, _ = reader.whole(f"`{word.text}`")
        then, source, end = self.part(word)
        branches = [IfBranch(value.term, then)]
        if end.is_else("if"):
            rest, more = self.choice(end.action.tokens[1], end.reader)
            assert isinstance(rest, IfPiece)
            return IfPiece([*branches, *rest.branches], rest.otherwise), f"{{{{if {value.text}}}}}{source}{{{{else}}}}{more}{{{{end}}}}"
        otherwise, more = self.otherwise(word, end)
        return IfPiece(branches, otherwise), f"{{{{if {value.text}}}}}{source}{more}{{{{end}}}}"

    def with_(self, word: Token, reader: _Pipeline) -> tuple[Piece, str]:
        """`with` and its `else`."""
        value, _ = reader.whole(f"`{word.text}`")
        then, source, end = self.part(word, has_dot=True)
        if end.is_else("with"):
            piece, more = self.control(end.action.tokens[1], end.reader)
            otherwise, more = [piece], f"{{{{else}}}}{more}"
        else:
            otherwise, more = self.otherwise(word, end)
        return WithPiece(value.term, then, otherwise), f"{{{{with {value.text}}}}}{source}{more}{{{{end}}}}"

    def range(self, word: Token, reader: _Pipeline) -> tuple[Piece, str]:
        """`range` and its `else`."""
        value, names = reader.range()
        item, key, *_ = (*reversed([self.slot(name) for name in names]), None, None)
        self.ranges += 1
        then, source, end = self.part(word, has_dot=True)
        self.ranges -= 1
        otherwise, more = self.otherwise(word, end)
        return RangePiece(value.term, key, item, then, otherwise), f"{{{{range {value.text}}}}}{source}{more}{{{{end}}}}"

    def part(self, word: Token, has_dot: bool = False) -> tuple[list[Piece], str, _End]:
        """What belongs to a `word`, how Go prints it, and what ends it. `has_dot`: something else is at hand there."""
        outer = self.dot_is_data
        self.dot_is_data = outer and not has_dot
        pieces, source, end = self.pieces()
        self.dot_is_data = outer
        if not end:
            raise TemplateError(word.at, f"`{word.text}` has no end", "write {{ end }} behind what belongs to it")
        reader = _Pipeline(self, end.tokens)
        reader.take()
        return pieces, source, _End(end, reader)

    def otherwise(self, word: Token, end: _End) -> tuple[list[Piece], str]:
        """What stands behind an `else` up to the `end`; nothing where that has come already."""
        if not end.action.tokens[0].is_("else"):
            end.reader.finish()
            return [], ""
        if end.action.tokens[1].is_(*_KEYWORDS):
            raise TemplateError(end.action.tokens[1].at, f"`{end.action.tokens[1].text}` cannot follow the `else` of `{word.text}`")
        end.reader.finish()
        pieces, source, last = self.part(word)
        if last.action.tokens[0].is_("else"):
            raise TemplateError(last.action.at, "`else` stands behind an `else`", "only the last part has no condition")
        last.reader.finish()
        return pieces, f"{{{{else}}}}{source}"

    def slot(self, name: Token) -> int:
        """A slot for a new variable."""
        if len(self.variables) == MOST_SLOTS:
            raise TemplateError(name.at, f"the template has more than {MOST_SLOTS} variables")
        self.variables.append(name.text)
        return len(self.variables) - 1

    def slot_of(self, name: Token) -> int:
        """The slot of a variable that is there."""
        for slot in reversed(range(len(self.variables))):
            if self.variables[slot] == name.text:
                return slot
        raise TemplateError(name.at, f"there is no variable `{name.text}`", f"write {{{{ {name.text} := ... }}}} before")


class _Pipeline:
    """Reads the tokens of one action."""

    def __init__(self, parser: _Parser, tokens: Sequence[Token]) -> None:
        self._parser = parser
        self._tokens = tokens
        self._next = 0
        self._nested = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def take(self) -> Token:
        """The next token."""
        token = self._token
        self._next += token.kind != "end"
        return token

    def finish(self) -> None:
        """Nothing may be left."""
        if self._token.kind != "end":
            raise _unexpected(self._token)

    def whole(self, context: str) -> tuple[_Part, bool]:
        """A pipeline up to the end, and whether its value goes into a variable."""
        names, sign = self._names()
        if len(names) > 1:
            raise TemplateError(names[1].at, "only `range` has two variables")
        value = self._pipeline(context)
        self.finish()
        if not names:
            return value, False
        slot = self._parser.slot(names[0]) if sign == ":=" else self._parser.slot_of(names[0])
        part = self._part(SetTerm(slot, value.term), f"{names[0].text} {sign} {value.text}", names[0].at, value)
        return part, True

    def range(self) -> tuple[_Part, list[Token]]:
        """What `range` goes over, and its new variables."""
        names, sign = self._names()
        if sign == "=":
            raise TemplateError(names[0].at, "`range` sets new variables only", f"write: {names[0].text} :=")
        value = self._pipeline("`range`")
        self.finish()
        text = f"{', '.join(name.text for name in names)} := {value.text}" if names else value.text
        return value._replace(text=text), names

    def _names(self) -> tuple[list[Token], str]:
        """The variables that are set, and the sign behind them."""
        start = self._next
        names: list[Token] = []
        while self._token.kind == "variable":
            names.append(self.take())
            if not self._token.is_(","):
                break
            self.take()
        if names and self._token.is_(":=", "="):
            return names[:2], self.take().text
        self._next = start
        return [], ""

    def _part(self, term: Term, text: str, at: int, *of: _Part) -> _Part:
        """One more node of the tree."""
        self._parser.count(at)
        depth = 1 + max((part.depth for part in of), default=0)
        if depth > MOST_NESTED:
            raise TemplateError(at, f"the template is nested more than {MOST_NESTED} deep")
        return _Part(term, text, at, depth)

    def _pipeline(self, context: str) -> _Part:
        """Commands; each gets the value of the one before as its last argument."""
        value: _Part | None = None
        while value is None or self._token.is_("|"):
            if value is not None:
                self.take()
            if self._token.kind == "end" or self._token.is_("|", ")"):
                raise TemplateError(self._token.at, f"a value is missing in {context}")
            value = self._command(value)
        return value

    def _command(self, last: _Part | None) -> _Part:
        """A function with its arguments, or a value."""
        first = self._token
        if first.kind == "word" and not first.is_("true", "false", "nil"):
            return self._call(self.take(), last)
        value = self._operand(is_command=True)
        if isinstance(value.term, ConstantTerm) and last:
            raise TemplateError(first.at, f"`{first.text}` is no function: it cannot stand behind `|`")
        if first.is_("nil"):
            raise TemplateError(first.at, "`nil` alone is no value")
        arguments = self._arguments()
        if arguments or last:
            raise TemplateError(first.at, f"`{value.text}` is no function: it takes no arguments", _functions())
        return value

    def _call(self, name: Token, last: _Part | None) -> _Part:
        """A function with its arguments."""
        known = next((known for known in get_args(TemplateFunction) if known == name.text), None)
        if known is None:
            raise _unknown(name)
        arguments = self._arguments()
        text = " ".join((name.text, *(part.text for part in arguments)))
        if last:
            arguments.append(last)
            text = f"{last.text} | {text}"
        least, most = _ARGUMENTS[known]
        if not least <= len(arguments) <= most:
            wanted = f"{least}" if least == most else f"at least {least}" if most == _UNLIMITED else f"{least} to {most}"
            raise TemplateError(
                name.at,
                f"`{name.text}` takes {wanted} argument{'s' * (wanted != '1' and not wanted.endswith(' 1'))}, found {len(arguments)}",
            )
        if known == "printf" and _STAR.search(str(arguments[0].term.value if isinstance(arguments[0].term, ConstantTerm) else "")):
            raise TemplateError(arguments[0].at, "`*` in a format is not supported", "write the width as a number: %5d")
        if known == "index" and len(arguments) > 1:
            self._note_key(arguments[0].term, arguments[1])
        return self._part(CallTerm(known, [part.term for part in arguments]), text, name.at, *arguments)

    def _note_key(self, of: Term, key: _Part) -> None:
        """Remember that a group or a variable is asked for by its name."""
        name = key.term.value if isinstance(key.term, ConstantTerm) else None
        if isinstance(of, FieldTerm) and of.of == DataTerm() and of.name in MAPS and isinstance(name, str):
            self._parser.keys[of.name].append((name, key.at))

    def _arguments(self) -> list[_Part]:
        """The operands behind a function, each with a blank before it."""
        arguments: list[_Part] = []
        while self._token.kind != "end" and not self._token.is_("|", ")"):
            if not self._token.apart:
                raise TemplateError(self._token.at, f"a blank is missing before `{self._token.text}`")
            if len(arguments) == _UNLIMITED:
                raise TemplateError(self._token.at, f"there are more than {_UNLIMITED} arguments")
            arguments.append(self._operand())
        return arguments

    def _operand(self, is_command: bool = False) -> _Part:
        """A constant, a variable, a field, a function without arguments, or a pipeline in parentheses; with fields behind it."""
        token = self.take()
        if token.is_("("):
            part = self._in_parentheses(token)
        elif token.kind in ("text", "number"):
            part = self._part(ConstantTerm(token.value), token.text, token.at)
        elif token.is_("true", "false", "nil"):
            part = self._part(ConstantTerm({"true": True, "false": False}.get(token.text)), token.text, token.at)
        elif token.is_("."):
            part = self._part(DataTerm() if self._parser.dot_is_data else DotTerm(), ".", token.at)
        elif token.kind == "field":
            self._next -= 1
            part = self._part(DataTerm() if self._parser.dot_is_data else DotTerm(), "", token.at)
        elif token.kind == "variable":
            term: Term = DataTerm() if token.text == "$" else VariableTerm(self._parser.slot_of(token))
            part = self._part(term, token.text, token.at)
        elif token.kind == "word" and token.text in get_args(TemplateFunction):
            part = self._bare_call(token)
        else:
            raise _unknown(token) if token.kind == "word" else _unexpected(token)
        return self._fields(part, is_command)

    def _bare_call(self, name: Token) -> _Part:
        """A function as an argument: it has none of its own."""
        known = next(known for known in get_args(TemplateFunction) if known == name.text)
        if _ARGUMENTS[known][0] > 0:
            raise TemplateError(name.at, f"`{name.text}` has arguments of its own", f"write: ({name.text} ...)")
        return self._part(CallTerm(known, []), name.text, name.at)

    def _in_parentheses(self, opening: Token) -> _Part:
        """A pipeline up to the closing one."""
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise TemplateError(opening.at, f"the template is nested more than {MOST_NESTED} deep")
        value = self._pipeline("parentheses")
        if not self._token.is_(")"):
            raise TemplateError(opening.at, "the parenthesis is not closed", "write ) behind what belongs to it")
        self.take()
        self._nested -= 1
        return value._replace(text=f"({value.text})", at=opening.at)

    def _fields(self, part: _Part, is_command: bool) -> _Part:
        """The fields that stand directly behind an operand."""
        is_first = part.text == ""
        while self._token.kind == "field" and (is_first or not self._token.apart):
            is_first = False
            token = self.take()
            if isinstance(part.term, ConstantTerm):
                raise TemplateError(token.at, f"`{part.text}` has no fields")
            if isinstance(part.term, DataTerm) and token.text == ".Meta":
                return self._label(part, token, is_command)
            _check_field(part.term, token)
            name = token.text[1:]
            if isinstance(part.term, FieldTerm) and part.term.of == DataTerm() and part.term.name in MAPS:
                self._parser.keys[part.term.name].append((name, token.at))
            part = self._part(FieldTerm(part.term, name), f"{part.text}{token.text}", part.at, part)
        return part

    def _label(self, part: _Part, meta: Token, is_command: bool) -> _Part:
        """`.Meta LABEL`"""
        label = self._token
        if not is_command or label.kind != "text" or not label.apart:
            hint = 'write: .Meta "LABEL", in parentheses where it is an argument; in a quoted text of a Corefile a quote is written \\"'
            raise TemplateError(meta.at, "`.Meta` takes a label in quotes", hint)
        self.take()
        self._parser.labels.append((str(label.value), label.at))
        return self._part(LabelTerm(str(label.value)), f"{part.text}{meta.text} {label.text}", part.at)


def _check_field(of: Term, token: Token) -> None:
    """Refuse a field that cannot be there."""
    name = token.text[1:]
    if isinstance(of, DataTerm):
        known: Sequence[str] = FIELDS
    elif isinstance(of, FieldTerm) and isinstance(of.of, DataTerm) and of.name in PARTS:
        known = PARTS[of.name]
    elif isinstance(of, FieldTerm) and isinstance(of.of, DataTerm) and of.name in TEXTS:
        raise TemplateError(token.at, f"`.{of.name}` is a text and has no field `{name}`")
    else:
        return
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean `.{close[0]}`?" if close else f"there are: {', '.join(f'.{field}' for field in known)}"
        raise TemplateError(token.at, f"there is no field `.{name}` here", hint)


def _functions() -> str:
    """Which functions there are, as a hint."""
    return f"there are the functions {', '.join(get_args(TemplateFunction))}"


def _unexpected(token: Token) -> TemplateError:
    """A token that cannot stand where it stands."""
    return TemplateError(token.at, "the action ends too early" if token.kind == "end" else f"`{token.text}` cannot stand here")


def _unknown(name: Token) -> TemplateError:
    """A word that means nothing, or not here."""
    if name.text in _NOT_HERE:
        return TemplateError(name.at, f"`{name.text}` is not supported", _functions())
    if name.text in _KEYWORDS:
        return TemplateError(name.at, f"`{name.text}` cannot stand here", f"write: {{{{ {name.text} ... }}}}")
    close = get_close_matches(name.text, get_args(TemplateFunction), n=1)
    return TemplateError(name.at, f"there is no function `{name.text}`", f"did you mean `{close[0]}`?" if close else _functions())

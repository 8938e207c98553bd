"""From tokens to a tree of the plan: precedences as in expr-lang, every part of a known type, bounded in size and depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal, NamedTuple, get_args

from clusterdns.expressions.tokens import ExpressionError, Token, read_tokens
from clusterdns.patterns import Pattern
from clusterdns.plan import (
    AllOf,
    AnyOf,
    Choice,
    Compare,
    Comparison,
    Constant,
    Expression,
    Fact,
    FactName,
    InNetwork,
    LabelValue,
    Matches,
    Not,
    OneOf,
)
from clusterdns.scalars import Cidr

MOST_NODES: Final = 1000
"""The work for one query is bounded by it."""
MOST_NESTED: Final = 40
"""The engine reads plans that are nested 128 deep; a level of an expression takes two of them."""

Type = Literal["truth", "number", "text"]

_NAMES: dict[Type, str] = {"truth": "true or false", "number": "a number", "text": "a text"}
_FACTS: dict[FactName, Type] = {
    **dict.fromkeys(get_args(FactName), "text"),
    "do": "truth",
    "bufsize": "number",
    "id": "number",
    "opcode": "number",
    "size": "number",
}
_FUNCTIONS = (*get_args(FactName), "incidr", "metadata")
_COMPARISONS: tuple[Comparison, ...] = get_args(Comparison)
_ONLY_TEXTS = ("startsWith", "endsWith", "contains")
_AND, _OR, _NOT = ("&&", "and"), ("||", "or"), ("!", "not")
_BINDING = {**dict.fromkeys(_OR, 10), **dict.fromkeys(_AND, 15), **dict.fromkeys((*_COMPARISONS, "in", "matches"), 20)}
_BINDING_OF_NOT = 50
_AFTER_NOT = ("in", "matches", *_ONLY_TEXTS)
_OPERATORS = (*_BINDING, *_NOT, "? :")


@dataclass(frozen=True)
class Label:
    """A label that an expression asks for, and its offset in the text."""

    name: str
    at: int


@dataclass(frozen=True)
class Parsed:
    """An expression that is true or false of a query, and the labels that it asks for."""

    expression: Expression
    labels: tuple[Label, ...]


def parse_expression(text: str) -> Parsed:
    """An expression from its text. Raises `ExpressionError`."""
    parser = _Parser(read_tokens(text))
    whole = parser.whole()
    if whole.type != "truth":
        raise ExpressionError(whole.at, f"an expression has to be true or false; this is {_NAMES[whole.type]}", "compare it: == 'A'")
    return Parsed(whole.tree, tuple(parser.labels))


class _Part(NamedTuple):
    """A part of the tree, its type, where it begins, and how deep it is."""

    tree: Expression
    type: Type
    at: int
    depth: int


class _Parser:
    """Reads the tokens from left to right; whatever operator binds stronger is read first."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.labels: list[Label] = []
        self._tokens = tokens
        self._next = 0
        self._nested = 0
        self._nodes = 0

    def whole(self) -> _Part:
        """All of it."""
        part = self._expression()
        if self._token.kind != "end":
            raise _unexpected(self._token)
        return part

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self, *words: str) -> Token | None:
        """The next token, if it is one of these words or signs."""
        token = self._token
        if not token.is_(*words):
            return None
        self._next += 1
        return token

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise _unexpected(self._token, f"`{word}` belongs here")

    def _part(self, at: int, type_: Type, tree: Expression, *of: _Part) -> _Part:
        """One more node of the tree."""
        self._nodes += 1
        depth = 1 + max((part.depth for part in of), default=0)
        if self._nodes > MOST_NODES:
            raise ExpressionError(at, f"the expression has more than {MOST_NODES} parts")
        if depth > MOST_NESTED:
            raise ExpressionError(at, f"the expression is nested more than {MOST_NESTED} deep")
        return _Part(tree, type_, at, depth)

    def _expression(self, binding: int = 0) -> _Part:
        """A part whose operators all bind at least as strongly as this."""
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise ExpressionError(self._token.at, f"the expression is nested more than {MOST_NESTED} deep")
        left = self._operand()
        while True:
            negated = self._token.is_("not") and self._tokens[self._next + 1].is_(*_AFTER_NOT)
            operator = self._tokens[self._next + 1] if negated else self._token
            binds = _BINDING.get(operator.text, -1) if operator.kind in ("word", "sign") else -1
            if binds < binding:
                break
            self._next += 2 if negated else 1
            left = self._operation(left, operator)
            if negated:
                left = self._part(left.at, "truth", Not(left.tree), left)
        while binding == 0 and self._take("?"):
            left = self._choice(left)
        self._nested -= 1
        return left

    def _operation(self, left: _Part, operator: Token) -> _Part:
        """What stands right of an operator, and both together."""
        if operator.text == "in":
            return self._one_of(left)
        if operator.text == "matches":
            return self._matches(left, operator)
        right = self._expression(_BINDING[operator.text] + 1)
        if operator.text in (*_AND, *_OR):
            return self._joined(left, operator, right)
        if left.type != right.type:
            hint = "numbers stand alone, texts in single quotes" if "truth" not in (left.type, right.type) else ""
            message = f"`{operator.text}` cannot compare {_NAMES[left.type]} with {_NAMES[right.type]}"
            raise ExpressionError(operator.at, message, hint)
        if left.type == "truth" and operator.text not in ("==", "!="):
            raise ExpressionError(operator.at, f"`{operator.text}` cannot compare what is true or false")
        if left.type == "number" and operator.text in _ONLY_TEXTS:
            raise ExpressionError(operator.at, f"`{operator.text}` is for texts, not for numbers")
        by = next(known for known in _COMPARISONS if known == operator.text)
        return self._part(left.at, "truth", Compare(by, left.tree, right.tree), left, right)

    def _joined(self, left: _Part, operator: Token, right: _Part) -> _Part:
        """Both, or one of both; what is joined by the same word already gets one more."""
        join = AllOf if operator.text in _AND else AnyOf
        for part in (left, right):
            _want(part, "truth", f"`{operator.text}`")
        before = left.tree.of if isinstance(left.tree, join) else [left.tree]
        joined = self._part(left.at, "truth", join([*before, right.tree]), left, right)
        return joined._replace(depth=max(left.depth, right.depth + 1)) if isinstance(left.tree, join) else joined

    def _one_of(self, value: _Part) -> _Part:
        """The list behind `in`."""
        if not self._token.is_("["):
            raise _unexpected(self._token, "a list belongs behind `in`", "write: type() in ['A', 'AAAA']")
        among = self._list("[", "]")
        for part in among:
            if part.type != value.type:
                raise ExpressionError(part.at, f"the list holds {_NAMES[part.type]}, and {_NAMES[value.type]} is looked for in it")
        return self._part(value.at, "truth", OneOf(value.tree, [part.tree for part in among]), value, *among)

    def _matches(self, text: _Part, operator: Token) -> _Part:
        """The pattern behind `matches`."""
        _want(text, "text", "`matches`")
        at, pattern = self._constant_text("the pattern behind `matches`")
        try:
            Pattern.parse(pattern)
        except ValueError as problem:
            raise ExpressionError(at, str(problem)) from None
        return self._part(text.at, "truth", Matches(text.tree, pattern), text)

    def _choice(self, condition: _Part) -> _Part:
        """`? THEN : OTHERWISE`."""
        _want(condition, "truth", "`?`")
        then = self._expression()
        self._expect(":")
        otherwise = self._expression()
        if then.type != otherwise.type:
            raise ExpressionError(otherwise.at, f"`? :` gives {_NAMES[then.type]} or {_NAMES[otherwise.type]}: both have to be the same")
        tree = Choice(condition.tree, then.tree, otherwise.tree)
        return self._part(condition.at, then.type, tree, condition, then, otherwise)

    def _operand(self) -> _Part:
        """What operators stand between."""
        token = self._token
        if self._take(*_NOT):
            of = self._expression(_BINDING_OF_NOT)
            _want(of, "truth", f"`{token.text}`")
            return self._part(token.at, "truth", Not(of.tree), of)
        if self._take("("):
            inside = self._expression()
            self._expect(")")
            return inside
        if token.is_("-") and isinstance(number := self._tokens[self._next + 1].value, int):
            self._next += 2
            return self._part(token.at, "number", Constant(-number))
        if token.kind in ("number", "text"):
            self._next += 1
            return self._part(token.at, "number" if token.kind == "number" else "text", Constant(token.value))
        if token.is_("true", "false"):
            self._next += 1
            return self._part(token.at, "truth", Constant(token.text == "true"))
        if token.kind == "word" and not token.is_(*_BINDING):
            self._next += 1
            return self._call(token)
        raise _unexpected(token)

    def _call(self, name: Token) -> _Part:
        """A function of the query."""
        if name.text not in _FUNCTIONS:
            raise _unknown(name, is_call=self._token.is_("("))
        if not self._token.is_("("):
            raise ExpressionError(name.at, f"`{name.text}` is a function", f"write: {name.text}()")
        if name.text == "metadata":
            return self._metadata(name)
        if name.text == "incidr":
            return self._in_network(name)
        arguments = self._list("(", ")")
        if arguments:
            raise ExpressionError(arguments[0].at, f"`{name.text}` takes no arguments", f"write: {name.text}()")
        fact, type_ = next((fact, type_) for fact, type_ in _FACTS.items() if fact == name.text)
        return self._part(name.at, type_, Fact(fact))

    def _metadata(self, name: Token) -> _Part:
        """`metadata(LABEL)`."""
        self._expect("(")
        at, label = self._constant_text("the label of `metadata`")
        self._expect(")")
        self.labels.append(Label(label, at))
        return self._part(name.at, "text", LabelValue(label))

    def _in_network(self, name: Token) -> _Part:
        """`incidr(ADDRESS, NETWORK)`."""
        self._expect("(")
        address = self._expression()
        _want(address, "text", "`incidr`")
        self._expect(",")
        at, text = self._constant_text("the network of `incidr`")
        self._expect(")")
        try:
            network = str(Cidr.parse(text))
        except ValueError as problem:
            raise ExpressionError(at, str(problem)) from None
        return self._part(name.at, "truth", InNetwork(address.tree, network), address)

    def _constant_text(self, what: str) -> tuple[int, str]:
        """A text that must be known before any query comes, with its place."""
        token = self._token
        if token.kind != "text":
            raise _unexpected(token, f"{what} has to be a text in single quotes")
        self._next += 1
        return token.at, str(token.value)

    def _list(self, opening: str, closing: str) -> list[_Part]:
        """Parts with commas between them; one may stand behind the last."""
        self._expect(opening)
        parts: list[_Part] = []
        while not self._take(closing):
            if parts:
                self._expect(",")
                if self._take(closing):
                    break
            parts.append(self._expression())
        return parts


def _want(part: _Part, type_: Type, who: str) -> None:
    """Refuse a part of another type."""
    if part.type != type_:
        raise ExpressionError(part.at, f"{who} wants {_NAMES[type_]}, this is {_NAMES[part.type]}")


def _unexpected(token: Token, instead: str = "", hint: str = "") -> ExpressionError:
    """A token that cannot stand where it stands."""
    if token.kind == "end":
        return ExpressionError(token.at, f"the expression ends too early{f': {instead}' if instead else ''}", hint)
    if not instead and token.kind == "sign" and token.text not in (*_OPERATORS, *"()[],?:"):
        instead, hint = "there is no such operator here", f"there are: {' '.join(_OPERATORS)}"
    return ExpressionError(token.at, f"`{token.text}` cannot stand here{f': {instead}' if instead else ''}", hint)


def _unknown(name: Token, *, is_call: bool) -> ExpressionError:
    """A word that means nothing."""
    close = get_close_matches(name.text, _FUNCTIONS, n=1)
    if is_call:
        hint = f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(_FUNCTIONS)}"
        return ExpressionError(name.at, f"there is no function `{name.text}` here", hint)
    hint = f"texts stand in single quotes, as the Corefile takes double ones away: '{name.text}'"
    return ExpressionError(name.at, f"`{name.text}` means nothing", hint)

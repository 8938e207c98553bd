"""From tokens to a tree of the plan: precedences as in expr-lang, every part of a known type, bounded in size and depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, get_args

import msgspec

from clusterdns.expressions.functions import (
    EACH,
    FACTS,
    FUNCTIONS,
    ITEM_OF,
    LIST_OF,
    NAMES,
    NOT_HERE,
    SIGNATURES,
    Type,
    close_to,
)
from clusterdns.expressions.tokens import ExpressionError, Token, read_tokens
from clusterdns.patterns import Pattern
from clusterdns.plan.expressions import (
    AllOf,
    AnyOf,
    Call,
    Choice,
    Compare,
    Comparison,
    Constant,
    Each,
    Expression,
    ExpressionFunction,
    Fact,
    InNetwork,
    Item,
    LabelValue,
    ListOf,
    Matches,
    Not,
    OneOf,
    VariableValue,
)
from clusterdns.scalars import Cidr

MOST_NODES: Final = 1000
"""The work for one query is bounded by it."""
MOST_NESTED: Final = 40
"""The engine reads plans that are nested 128 deep; a level of an expression takes two of them."""

_COMPARISONS: tuple[Comparison, ...] = get_args(Comparison)
_ONLY_TEXTS = ("startsWith", "endsWith", "contains")
_ONLY_EQUAL = ("==", "!=")
_AND, _OR, _NOT = ("&&", "and"), ("||", "or"), ("!", "not")
_ARITHMETIC: tuple[ExpressionFunction, ...] = ("+", "-", "*", "%")
_BINDING = {
    "|": 0,
    **dict.fromkeys(_OR, 10),
    **dict.fromkeys(_AND, 15),
    **dict.fromkeys((*_COMPARISONS, "in", "matches"), 20),
    **dict.fromkeys(("+", "-"), 30),
    **dict.fromkeys(("*", "%"), 60),
}
_BINDING_OF_NOT, _BINDING_OF_SIGN = 50, 90
_AFTER_NOT = ("in", "matches", *_ONLY_TEXTS)
_OPERATORS = (*(operator for operator in _BINDING if operator != "|"), *_NOT, "? :", "|")
_FRACTIONS = ("/", "**", "^")


class Surroundings(msgspec.Struct, frozen=True):
    """Where an expression stands. `variables`: those that are set before it, and their types. `has_groups`: a pattern has matched."""

    variables: Mapping[str, Type] = {}
    has_groups: bool = False


OF_A_QUERY: Final = Surroundings()
"""Nothing but the query."""


class Mention(msgspec.Struct, frozen=True):
    """Something that an expression names, like a label, and its offset in the text."""

    name: str
    at: int


class Parsed(msgspec.Struct, frozen=True):
    """An expression, the type of its value, and the labels and groups that it asks for."""

    expression: Expression
    type: Type
    labels: tuple[Mention, ...]
    groups: tuple[Mention, ...]


def parse_condition(text: str, surroundings: Surroundings = OF_A_QUERY) -> Parsed:
    """An expression that is true or false, from its text. Raises `ExpressionError`."""
    parser = _Parser(read_tokens(text), surroundings)
    whole = parser.whole()
    if whole.type != "truth":
        raise ExpressionError(whole.at, f"an expression has to be true or false; this is {NAMES[whole.type]}", "compare it: == 'A'")
    return parser.parsed(whole)


def parse_value(text: str, surroundings: Surroundings = OF_A_QUERY) -> Parsed:
    """An expression of any type, from its text. Raises `ExpressionError`."""
    parser = _Parser(read_tokens(text), surroundings)
    return parser.parsed(parser.whole())


class _Part(NamedTuple):
    """A part of the tree, its type, where it begins, and how deep it is."""

    tree: Expression
    type: Type
    at: int
    depth: int


class _Parser:
    """Reads the tokens from left to right; whatever operator binds stronger is read first."""

    def __init__(self, tokens: Sequence[Token], surroundings: Surroundings) -> None:
        self._labels: list[Mention] = []
        self._groups: list[Mention] = []
        self._items: list[Type] = []
        """What `#` is, the innermost one last."""
        self._surroundings = surroundings
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

    def parsed(self, whole: _Part) -> Parsed:
        """The whole, and what it names."""
        return Parsed(whole.tree, whole.type, tuple(self._labels), tuple(self._groups))

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
        if operator.text == "|":
            return self._piped(left)
        if operator.text == "in":
            return self._one_of(left)
        if operator.text == "matches":
            return self._matches(left, operator)
        right = self._expression(_BINDING[operator.text] + 1)
        if operator.text in (*_AND, *_OR):
            return self._joined(left, operator, right)
        if operator.text in _ARITHMETIC:
            return self._computed(left, operator, right)
        if left.type != right.type:
            hint = "numbers stand alone, texts in single quotes" if {left.type, right.type} == {"number", "text"} else ""
            message = f"`{operator.text}` cannot compare {NAMES[left.type]} with {NAMES[right.type]}"
            raise ExpressionError(operator.at, message, hint)
        if left.type == "truth" and operator.text not in _ONLY_EQUAL:
            raise ExpressionError(operator.at, f"`{operator.text}` cannot compare what is true or false")
        if left.type in ITEM_OF and operator.text not in _ONLY_EQUAL:
            raise ExpressionError(operator.at, f"`{operator.text}` cannot compare lists", "write: any(LIST, # == VALUE)")
        if left.type == "number" and operator.text in _ONLY_TEXTS:
            raise ExpressionError(operator.at, f"`{operator.text}` is for texts, not for numbers")
        by = next(known for known in _COMPARISONS if known == operator.text)
        return self._part(left.at, "truth", Compare(by, left.tree, right.tree), left, right)

    def _piped(self, first: _Part) -> _Part:
        """The function behind `|`, whose first argument stands before it."""
        name = self._token
        if name.kind != "word" or name.text not in (*SIGNATURES, *EACH, "metadata") or not self._tokens[self._next + 1].is_("("):
            raise _unexpected(name, "a function belongs behind `|`", "write: name() | trimSuffix('.')")
        self._next += 1
        return self._postfixed(self._call(name, first))

    def _computed(self, left: _Part, operator: Token, right: _Part) -> _Part:
        """A number from two, or a text from two."""
        takes = ("number", "text") if operator.text == "+" else ("number",)
        if left.type not in takes or right.type != left.type:
            hint = "write string(NUMBER) or int(TEXT)" if {left.type, right.type} == {"number", "text"} else ""
            what = "adds numbers, or joins texts" if operator.text == "+" else "is for numbers"
            raise ExpressionError(operator.at, f"`{operator.text}` {what}: this is {NAMES[left.type]} and {NAMES[right.type]}", hint)
        function = next(known for known in _ARITHMETIC if known == operator.text)
        return self._part(left.at, left.type, Call(function, [left.tree, right.tree]), left, right)

    def _joined(self, left: _Part, operator: Token, right: _Part) -> _Part:
        """Both, or one of both; what is joined by the same word already gets one more."""
        join = AllOf if operator.text in _AND else AnyOf
        for part in (left, right):
            _want(part, "truth", f"`{operator.text}`")
        before = left.tree.of if isinstance(left.tree, join) else [left.tree]
        joined = self._part(left.at, "truth", join([*before, right.tree]), left, right)
        return joined._replace(depth=max(left.depth, right.depth + 1)) if isinstance(left.tree, join) else joined

    def _one_of(self, value: _Part) -> _Part:
        """The list behind `in`: written there, or one that is computed."""
        if self._token.is_("["):
            among = self._list("[", "]")
            for part in among:
                if part.type != value.type:
                    raise ExpressionError(part.at, f"the list holds {NAMES[part.type]}, and {NAMES[value.type]} is looked for in it")
            return self._part(value.at, "truth", OneOf(value.tree, [part.tree for part in among]), value, *among)
        token = self._token
        found = self._expression(_BINDING["in"] + 1)
        if ITEM_OF.get(found.type) != value.type:
            known = f"this is {NAMES[found.type]}, and {NAMES[value.type]} is looked for in it"
            raise ExpressionError(token.at, f"a list belongs behind `in`: {known}", "write: type() in ['A', 'AAAA']")
        return self._part(value.at, "truth", Call("in", [value.tree, found.tree]), value, found)

    def _matches(self, text: _Part, operator: Token) -> _Part:
        """The pattern behind `matches`."""
        _want(text, "text", "`matches`")
        at, pattern = self._pattern_text()
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
            raise ExpressionError(otherwise.at, f"`? :` gives {NAMES[then.type]} or {NAMES[otherwise.type]}: both have to be the same")
        tree = Choice(condition.tree, then.tree, otherwise.tree)
        return self._part(condition.at, then.type, tree, condition, then, otherwise)

    def _operand(self) -> _Part:
        """What operators stand between."""
        token = self._token
        if self._take(*_NOT):
            of = self._expression(_BINDING_OF_NOT)
            _want(of, "truth", f"`{token.text}`")
            return self._part(token.at, "truth", Not(of.tree), of)
        if token.is_("-") and isinstance(number := self._tokens[self._next + 1].value, int) and number:
            self._next += 2
            return self._part(token.at, "number", Constant(-number))
        if self._take("-", "+"):
            of = self._expression(_BINDING_OF_SIGN)
            _want(of, "number", f"`{token.text}`")
            return self._part(token.at, "number", Call("-", [Constant(0), of.tree]), of) if token.text == "-" else of
        return self._postfixed(self._primary())

    def _primary(self) -> _Part:
        """A constant, a list, a variable, a call, or something in parentheses."""
        token = self._token
        if self._take("("):
            inside = self._expression()
            self._expect(")")
            return inside
        if token.is_("["):
            return self._literal_list(token)
        if token.kind in ("number", "text"):
            self._next += 1
            return self._part(token.at, "number" if token.kind == "number" else "text", Constant(token.value))
        if self._take("true", "false"):
            return self._part(token.at, "truth", Constant(token.text == "true"))
        if self._take("#"):
            if not self._items or (self._token.kind == "word" and self._token.at == token.at + 1):
                raise _item_misplaced(token, self._token if self._items else None)
            return self._part(token.at, self._items[-1], Item())
        if token.kind == "word" and token.text in self._surroundings.variables:
            self._next += 1
            if self._token.is_("("):
                raise ExpressionError(token.at, f"`{token.text}` is a variable, and no function", f"write: {token.text}")
            return self._part(token.at, self._surroundings.variables[token.text], VariableValue(token.text))
        if token.kind == "word" and not token.is_(*_BINDING):
            self._next += 1
            return self._call(token)
        raise _unexpected(token)

    def _literal_list(self, opening: Token) -> _Part:
        """`[VALUE, ...]`, all of one type."""
        parts = self._list("[", "]")
        if not parts:
            raise ExpressionError(opening.at, "an empty list has no type", "an empty list may stand behind `in` only")
        first = parts[0].type
        for part in parts:
            if part.type in ITEM_OF:
                raise ExpressionError(part.at, "lists of lists are not supported")
            if part.type != first:
                raise ExpressionError(part.at, f"the list holds {NAMES[first]} and {NAMES[part.type]}: all have to be the same")
        return self._part(opening.at, LIST_OF[first], ListOf([part.tree for part in parts]), *parts)

    def _postfixed(self, part: _Part) -> _Part:
        """An item `[1]` or a part `[1:2]` of what stands before it."""
        while bracket := self._take("["):
            bounds: list[_Part] = [self._part(bracket.at, "number", Constant(0)) if self._token.is_(":") else self._expression()]
            is_slice = bool(self._take(":"))
            if is_slice and not self._token.is_("]"):
                bounds.append(self._expression())
            self._expect("]")
            for bound in bounds:
                _want(bound, "number", "`[ ]`")
            part = self._sliced(part, bracket, bounds) if is_slice else self._indexed(part, bracket, bounds[0])
        return part

    def _sliced(self, part: _Part, bracket: Token, bounds: Sequence[_Part]) -> _Part:
        """`[FROM:TO]`."""
        if part.type not in ("text", *ITEM_OF):
            raise ExpressionError(bracket.at, f"a part of {NAMES[part.type]} cannot be had: texts and lists have parts")
        return self._part(part.at, part.type, Call("slice", [part.tree, *(bound.tree for bound in bounds)]), part, *bounds)

    def _indexed(self, part: _Part, bracket: Token, at: _Part) -> _Part:
        """`[NUMBER]`."""
        if part.type not in ITEM_OF:
            hint = "a part of a text is written [0:1]" if part.type == "text" else ""
            raise ExpressionError(bracket.at, f"an item of {NAMES[part.type]} cannot be had: lists have items", hint)
        return self._part(part.at, ITEM_OF[part.type], Call("index", [part.tree, at.tree]), part, at)

    def _call(self, name: Token, first: _Part | None = None) -> _Part:
        """A function of the query, or of values. `first`: its first argument, which stands before it."""
        if name.text not in FUNCTIONS:
            raise _unknown(name, self._surroundings, is_call=self._token.is_("("))
        if not self._token.is_("("):
            raise ExpressionError(name.at, f"`{name.text}` is a function", f"write: {name.text}()")
        if name.text in EACH:
            return self._each(name, first)
        arguments = [*([first] if first else []), *self._list("(", ")")]
        if name.text == "metadata":
            return self._metadata(name, arguments)
        for fact, type_ in FACTS.items():
            if fact == name.text:
                if arguments:
                    raise ExpressionError(arguments[0].at, f"`{name.text}` takes no arguments", f"write: {name.text}()")
                return self._part(name.at, type_, Fact(fact))
        function, signature = next((function, signature) for function, signature in SIGNATURES.items() if function == name.text)
        self._check(name, arguments, len(arguments) < signature.least)
        for number, argument in enumerate(arguments):
            takes = signature.types_of(number)
            if takes is None:
                raise _miscounted(name, argument.at)
            if argument.type not in takes:
                wanted = " or ".join(NAMES[type_] for type_ in takes)
                raise ExpressionError(argument.at, f"`{name.text}` wants {wanted}, this is {NAMES[argument.type]}")
        if function == "group":
            self._note_group(name, arguments[0])
        if function == "incidr" and isinstance(arguments[1].tree, Constant):
            return self._in_network(name, arguments[0], arguments[1])
        return self._part(name.at, signature.gives, Call(function, [argument.tree for argument in arguments]), *arguments)

    def _check(self, name: Token, arguments: Sequence[_Part], is_wrong: bool) -> None:
        """Refuse a call with another number of arguments."""
        if is_wrong:
            raise _miscounted(name, arguments[-1].at if arguments else name.at)

    def _each(self, name: Token, first: _Part | None) -> _Part:
        """`any(LIST, CONDITION)` and its like. `first`: the list, where it stands before."""
        self._expect("(")
        items = first or self._expression()
        if items.type not in ITEM_OF:
            raise ExpressionError(
                items.at, f"`{name.text}` wants a list, this is {NAMES[items.type]}", f"write: {name.text}(['a', 'b'], # == 'a')"
            )
        if not first:
            self._expect(",")
        self._items.append(ITEM_OF[items.type])
        closing = "}" if self._take("{") else ""
        then = self._expression()
        if closing:
            self._expect(closing)
        self._items.pop()
        self._take(",")
        self._expect(")")
        by = next(known for known in EACH if known == name.text)
        if by != "map":
            _want(then, "truth", f"`{name.text}`")
        elif then.type in ITEM_OF:
            raise ExpressionError(then.at, "lists of lists are not supported")
        gives: Type = LIST_OF[then.type] if by == "map" else items.type if by == "filter" else "number" if by == "count" else "truth"
        return self._part(name.at, gives, Each(by, items.tree, then.tree), items, then)

    def _metadata(self, name: Token, arguments: Sequence[_Part]) -> _Part:
        """`metadata(LABEL)`."""
        self._check(name, arguments, len(arguments) != 1)
        label = _constant_text(arguments[0], "the label of `metadata`")
        self._labels.append(Mention(label, arguments[0].at))
        return self._part(name.at, "text", LabelValue(label))

    def _note_group(self, name: Token, of: _Part) -> None:
        """Remember a group that is asked for by its name or number."""
        if not self._surroundings.has_groups:
            raise ExpressionError(name.at, "there is no `group` here: nothing has matched a pattern", "it is for `template`")
        if isinstance(of.tree, Constant):
            self._groups.append(Mention(str(of.tree.value), of.at))

    def _in_network(self, name: Token, address: _Part, of: _Part) -> _Part:
        """`incidr(ADDRESS, NETWORK)` with a network that is known now."""
        try:
            network = str(Cidr.parse(_constant_text(of, "the network of `incidr`")))
        except ValueError as problem:
            raise ExpressionError(of.at, str(problem)) from None
        return self._part(name.at, "truth", InNetwork(address.tree, network), address)

    def _pattern_text(self) -> tuple[int, str]:
        """The text behind `matches`: patterns are compiled before any query comes."""
        token = self._token
        if token.kind != "text":
            raise _unexpected(token, "the pattern behind `matches` has to be a text in single quotes")
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
        raise ExpressionError(part.at, f"{who} wants {NAMES[type_]}, this is {NAMES[part.type]}")


def _constant_text(part: _Part, what: str) -> str:
    """A text that must be known before any query comes."""
    if not isinstance(part.tree, Constant) or part.type != "text":
        raise ExpressionError(part.at, f"{what} has to be a text in single quotes")
    return str(part.tree.value)


def _miscounted(name: Token, at: int) -> ExpressionError:
    """Too many arguments, or not enough."""
    if name.text == "metadata":
        return ExpressionError(at, "`metadata` takes 1 argument", "write: metadata('LABEL')")
    signature = next(signature for function, signature in SIGNATURES.items() if function == name.text)
    least, most = signature.least, len(signature.takes)
    count = f"at least {least}" if signature.repeats else f"{least}" if least == most else f"{least} to {most}"
    return ExpressionError(at, f"`{name.text}` takes {count} argument{'s' * (most > 1)}")


def _item_misplaced(item: Token, behind: Token | None) -> ExpressionError:
    """A `#` where there is no item, or with a word `behind` it."""
    if behind:
        return ExpressionError(item.at, f"`#{behind.text}` is not supported", "`#` is the item itself")
    return ExpressionError(item.at, "`#` is an item of a list, and there is none here", "write: any(['a', 'b'], # == 'a')")


def _unexpected(token: Token, instead: str = "", hint: str = "") -> ExpressionError:
    """A token that cannot stand where it stands."""
    if token.kind == "end":
        return ExpressionError(token.at, f"the expression ends too early{f': {instead}' if instead else ''}", hint)
    if not instead and token.is_(*_FRACTIONS):
        return ExpressionError(token.at, f"`{token.text}` is not supported: there are no numbers with fractions")
    if not instead and token.kind == "sign" and token.text not in (*_OPERATORS, *"()[]{},?:"):
        instead, hint = "there is no such operator here", f"there are: {' '.join(_OPERATORS)}"
    return ExpressionError(token.at, f"`{token.text}` cannot stand here{f': {instead}' if instead else ''}", hint)


def _unknown(name: Token, surroundings: Surroundings, *, is_call: bool) -> ExpressionError:
    """A word that means nothing, or not here."""
    if name.text in NOT_HERE:
        return ExpressionError(name.at, f"the function `{name.text}` is not supported", f"there are: {', '.join(FUNCTIONS)}")
    if name.is_("let", "if"):
        hint = "write: CONDITION ? VALUE : VALUE" if name.text == "if" else "in `template` a `var` before it does the same"
        return ExpressionError(name.at, f"`{name.text}` is not supported", hint)
    if is_call:
        hint = close_to(name.text) or f"there are: {', '.join(FUNCTIONS)}"
        return ExpressionError(name.at, f"there is no function `{name.text}` here", hint)
    hint = f"texts stand in single quotes, as the Corefile takes double ones away: '{name.text}'"
    if surroundings.variables:
        hint = f"there are the variables {', '.join(surroundings.variables)}; {hint}"
    return ExpressionError(name.at, f"`{name.text}` means nothing", hint)

"""What an expression may call: the types of values, what each function takes and gives, and which names a variable cannot have.

Facts of a query, `incidr`, `metadata` and `group` are CoreDNS's; the others are those of expr-lang. Must not know how an expression is
written.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, get_args

from clusterdns.plan.expressions import ExpressionFunction, FactName

Type = Literal["truth", "number", "text", "truths", "numbers", "texts"]
"""The types of values; those in the plural are lists."""

NAMES: Final[dict[Type, str]] = {
    "truth": "true or false",
    "number": "a number",
    "text": "a text",
    "truths": "a list of true or false",
    "numbers": "a list of numbers",
    "texts": "a list of texts",
}
"""How they are told."""
LIST_OF: Final[dict[Type, Type]] = {"truth": "truths", "number": "numbers", "text": "texts"}
ITEM_OF: Final[dict[Type, Type]] = {many: one for one, many in LIST_OF.items()}

FACTS: Final[dict[FactName, Type]] = {
    **dict.fromkeys(get_args(FactName), "text"),
    "do": "truth",
    "bufsize": "number",
    "id": "number",
    "opcode": "number",
    "size": "number",
}
"""What is known of each query, as functions without arguments."""


class Signature(NamedTuple):
    """The types of what a function takes, argument by argument, and of what it gives.

    `optional`: so many of the last arguments may be left out. `repeats`: there may be more of the last one.
    """

    takes: tuple[tuple[Type, ...], ...]
    gives: Type
    optional: int = 0
    repeats: bool = False

    @property
    def least(self) -> int:
        """How many arguments it takes at least."""
        return len(self.takes) - self.optional

    def types_of(self, number: int) -> tuple[Type, ...] | None:
        """The types that an argument may have, counted from 0; None where there is no such argument."""
        if number < len(self.takes):
            return self.takes[number]
        return self.takes[-1] if self.repeats else None


_TEXT: tuple[Type, ...] = ("text",)
_NUMBER: tuple[Type, ...] = ("number",)

SIGNATURES: Final[dict[ExpressionFunction, Signature]] = {
    "abs": Signature((_NUMBER,), "number"),
    "hasPrefix": Signature((_TEXT, _TEXT), "truth"),
    "hasSuffix": Signature((_TEXT, _TEXT), "truth"),
    "indexOf": Signature((_TEXT, _TEXT), "number"),
    "int": Signature((("number", "text"),), "number"),
    "join": Signature((("texts",), _TEXT), "text", optional=1),
    "lastIndexOf": Signature((_TEXT, _TEXT), "number"),
    "len": Signature((("text", "truths", "numbers", "texts"),), "number"),
    "lower": Signature((_TEXT,), "text"),
    "max": Signature((_NUMBER,), "number", repeats=True),
    "min": Signature((_NUMBER,), "number", repeats=True),
    "repeat": Signature((_TEXT, _NUMBER), "text"),
    "replace": Signature((_TEXT, _TEXT, _TEXT, _NUMBER), "text", optional=1),
    "split": Signature((_TEXT, _TEXT, _NUMBER), "texts", optional=1),
    "string": Signature((get_args(Type),), "text"),
    "trim": Signature((_TEXT, _TEXT), "text", optional=1),
    "trimPrefix": Signature((_TEXT, _TEXT), "text", optional=1),
    "trimSuffix": Signature((_TEXT, _TEXT), "text", optional=1),
    "upper": Signature((_TEXT,), "text"),
    "incidr": Signature((_TEXT, _TEXT), "truth"),
    "group": Signature((("number", "text"),), "text"),
}
"""Those that are called like any function."""

EACH: Final = ("all", "any", "none", "one", "count", "filter", "map")
"""Those that ask a condition of each item of a list."""

FUNCTIONS: Final = tuple(dict.fromkeys((*FACTS, "incidr", "metadata", *SIGNATURES, *EACH)))

NOT_HERE: Final = (
    *("bitand", "bitnand", "bitnot", "bitor", "bitshl", "bitshr", "bitushr", "bitxor", "ceil", "concat", "date", "duration"),
    *("find", "findIndex", "findLast", "findLastIndex", "first", "flatten", "float", "floor", "fromBase64", "fromJSON"),
    *("fromPairs", "get", "groupBy", "keys", "last", "mean", "median", "now", "reduce", "reverse", "round", "sort"),
    *("sortBy", "splitAfter", "sum", "take", "timezone", "toBase64", "toJSON", "toPairs", "uniq", "values"),
)
"""Functions of expr-lang that there are not."""
WORDS: Final = ("true", "false", "nil", "not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else")
"""Words of the language."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def what_is_wrong_with_name(name: str) -> str:
    """Why a variable cannot be called so; empty if it can."""
    if not _NAME.fullmatch(name):
        return f"`{name}` is no name of a variable: it has letters, digits and _, and begins with no digit"
    if name in FUNCTIONS or name in NOT_HERE:
        return f"a variable cannot be called `{name}`: a function is"
    return f"a variable cannot be called `{name}`: it is a word of the language" if name in WORDS else ""


def close_to(name: str, *more: str) -> str:
    """A hint: which function, or which of the other names, was meant."""
    from difflib import get_close_matches  # only mistakes pay for it

    close = get_close_matches(name, (*FUNCTIONS, *more), n=1)
    return f"did you mean `{close[0]}`?" if close else ""

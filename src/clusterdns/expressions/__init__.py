"""Expressions: what a view asks of a query. Text in a part of the language of expr-lang becomes a tree of the plan, its types checked.

The part: the functions of a query, constants, lists behind `in`, comparisons, `&&`, `||`, `!` and their words, `? :`, parentheses.
Must not know the Corefile, nor how a tree is evaluated.
"""

from clusterdns.expressions.parser import Label, Parsed, parse_expression
from clusterdns.expressions.tokens import ExpressionError

__all__ = ["ExpressionError", "Label", "Parsed", "parse_expression"]

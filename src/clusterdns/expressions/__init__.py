"""Expressions: what a view or a template asks of a query. Text in a part of the language of expr-lang becomes a tree of the plan, its types
checked.

The part: the functions of a query, constants, lists, comparisons, `&&`, `||`, `!` and their words, `? :`, whole numbers and what is
computed of them, functions of texts and of lists, `|`, parentheses. Not: fractions, maps, `nil`, `let`, times.
Must not know the Corefile, nor how a tree is evaluated.
"""

from clusterdns.expressions.functions import Type, what_is_wrong_with_name
from clusterdns.expressions.parser import Mention, Parsed, Surroundings, parse_condition, parse_value
from clusterdns.expressions.tokens import ExpressionError

__all__ = ["ExpressionError", "Mention", "Parsed", "Surroundings", "Type", "parse_condition", "parse_value", "what_is_wrong_with_name"]

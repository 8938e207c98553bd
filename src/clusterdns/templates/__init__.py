"""Templates: the text of a record that is made for each query, in the part of Go's text/template that people use for that.

A template becomes a tree of the plan. The part: texts, remarks and trim markers; pipelines of fields, variables, constants and functions;
`if`, `with`, `range` with `else`, `break` and `continue`. Not: templates that call each other, numbers with fractions, functions for HTML.
Must not know the Corefile, nor how a tree is evaluated.
"""

from clusterdns.templates.parser import Template, parse_template
from clusterdns.templates.tokens import TemplateError

__all__ = ["Template", "TemplateError", "parse_template"]

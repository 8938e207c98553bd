"""`rewrite`: change questions and their answers by rules.

The forms are those of CoreDNS, which reads a rule word by word: a block is only another way to write the same words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.edns0 import compile_edns0
from clusterdns.directives.options import choice, integer, pattern, rcode, record_class, record_type, suggestion
from clusterdns.names import InvalidName, normalise
from clusterdns.plan.ops import RewriteOp
from clusterdns.plan.rewrites import (
    AnswerRewrite,
    ClassRewrite,
    CnameRewrite,
    How,
    NameMatch,
    NameRewrite,
    RcodeRewrite,
    Rewrite,
    RewriteRule,
    TtlRewrite,
    TypeRewrite,
)

HOW: Mapping[str, How] = {how: how for how in get_args(How)}
MODES = ("continue", "stop")
MOST_RCODE = 23
MOST_TTL = 2**31 - 1
"""RFC 2181 8"""

ANY_CASE = "(?i)"
"""Names in answers may have any letters; names in questions are in lower case when they are matched."""

_GROUP = re.compile(r"\{([0-9]+)\}")

Words = Sequence[Token]


def compile_rewrite(lines: Sequence[Line], block: BlockContext) -> None:
    """`rewrite [continue|stop] FIELD ...`, any number of times; the rules stand in the order of the lines."""
    rules = [rule for line in lines if (rule := _compile_line(line, block))]
    block.emit(RewriteOp(rules=rules, span=block.span(lines[0])))


def _compile_line(line: Line, block: BlockContext) -> RewriteRule | None:
    """One rule. What stands in a block is another way to write its words, on any lines."""
    is_whole = len(line.args) > 1
    inner = () if is_whole else line.block or ()
    if is_whole and line.block is not None:
        block.error(line, "this rule is whole without a block", "remove the braces and what is in them", code="unexpected-block")
    for part in inner:
        if part.block is not None:
            block.error(part, f"`{part.name.text}` takes no block", "remove the braces and what is in them", code="unexpected-block")
    words = [*line.args, *(word for part in inner for word in (part.name, *part.args))]
    mode = words.pop(0).text.lower() if words and words[0].text.lower() in MODES else "stop"
    if not words:
        hint = f"write: rewrite [continue|stop] {'|'.join(FIELDS)} ..."
        block.error(line, "`rewrite` does not say what to change", hint, code="argument-count")
        return None
    field, *rest = words
    compile_field = FIELDS.get(field.text.lower())
    if compile_field is None:
        hint = "an answer is changed by a rule for `name`" if field.text == "answer" else suggestion(field.text, FIELDS)
        block.error(field, f"`{field.text}` is nothing that can be changed", hint, code="unknown-value")
        return None
    change = compile_field(field, rest, block)
    return None if change is None else RewriteRule(change=change, stop=mode == "stop", span=block.span(inner[0] if inner else line))


def _count(field: Token, words: Words, block: BlockContext, counts: Sequence[int], syntax: str) -> bool:
    """Whether there are as many words behind the field as its syntax wants."""
    if len(words) in counts:
        return True
    wanted = " or ".join(map(str, counts))
    message = f"a rule for `{field.text}` takes {wanted} arguments, found {len(words)}"
    block.error(words[max(counts)] if len(words) > max(counts) else field, message, f"write: {syntax}", code="argument-count")
    return False


def _name(field: Token, words: Words, block: BlockContext) -> NameRewrite | None:
    """`name [exact|prefix|suffix|substring|regex] FROM TO [answer auto|(name|value FROM TO)...]`"""
    syntax = f"name [{'|'.join(HOW)}] FROM TO [answer auto] [answer name|value FROM TO]..."
    if len(words) < 2:
        block.error(field, f"a rule for `name` takes at least 2 arguments, found {len(words)}", f"write: {syntax}", code="argument-count")
        return None
    how, words = _how(words, block, whole=len(words) == 2)
    if how is None:
        return None
    name, groups = _match(how, words[0], block, ends_with_dot=True)
    to = _target(words[1], block, groups)
    if how == "exact" and to:
        _warn_of_no_name(words[1], block)
    auto, answers = _answers(words[2:], block)
    if name is None or to is None or answers is None:
        return None
    if how == "exact":
        auto = True
    elif not auto and not answers:
        hint = "many clients take no answer for a name that they did not ask: add `answer auto`"
        block.warn(field, "answers to this rule have the new name", hint, code="foreign-answer")
    return NameRewrite(name=name, to=to, auto=auto, answers=answers)


def _how(words: Words, block: BlockContext, whole: bool) -> tuple[How | None, Words]:
    """How names are matched, and the words behind that. `whole`: there are no words but FROM and TO."""
    if whole:
        return "exact", words
    word = choice(words[0], block, HOW, any_case=True)
    return (HOW[word] if word else None), words[1:]


def _match(how: How, token: Token, block: BlockContext, ends_with_dot: bool) -> tuple[NameMatch | None, int | None]:
    """Which names a rule is about, and how many groups its pattern has. `ends_with_dot`: CoreDNS puts one behind the text."""
    if how == "regex":
        found = pattern(token, block)
        return (NameMatch(how, token.text), len(found.groups)) if found else (None, None)
    if not token.text:
        block.error(token, "an empty text is in every name", "write what the names have", code="bad-value")
        return None, None
    if how == "exact":
        return _exact(token, block), None
    text = token.text.lower()
    if ends_with_dot and not text.endswith("."):
        if how in ("prefix", "substring") and "." not in text:
            part = re.escape(token.text).replace(r"\-", "-")
            hint = f"to match a part of one, write: regex {'^' if how == 'prefix' else ''}{part}"
            block.warn(token, f"`{token.text}` means `{token.text}.`: it matches at the end of a label only", hint, code="whole-labels")
        text += "."
    elif how == "suffix" and not text.endswith("."):
        block.warn(token, "no name ends so: names end with a dot", f"write `{token.text}.`", code="no-effect")
    return NameMatch(how, text), None


def _exact(token: Token, block: BlockContext) -> NameMatch | None:
    """One name. CoreDNS takes any text, and nobody asks for those that are none."""
    try:
        return NameMatch("exact", normalise(token.text))
    except InvalidName as problem:
        block.warn(token, f"`{token.text}` is no name, so this rule is never used: {problem}", code="no-effect")
        return None


def _warn_of_no_name(token: Token, block: BlockContext) -> None:
    """What always becomes a text that is no name."""
    try:
        normalise(token.text)
    except InvalidName as problem:
        block.warn(token, f"`{token.text}` is no name, so questions for this rule get SERVFAIL: {problem}", code="bad-name")


def _target(token: Token, block: BlockContext, groups: int | None, ends_with_dot: bool = True) -> str | None:
    """What takes the place of what was matched; `groups`: how many a pattern has, if there is one."""
    used = {int(number) for number in _GROUP.findall(token.text)}
    if groups is None and used:
        block.warn(token, f"`{token.text}` is taken as it is", "groups are those of a regex", code="no-groups")
    elif groups is not None and any(number > groups for number in used):
        message = f"`{{{max(used)}}}` is a group that the pattern does not have"
        hint = f"it has {groups}; a group is what stands in parentheses" if groups else "put what it is to stand for into parentheses"
        # CoreDNS counts how many are used, not which.
        report = block.error if len(used) > groups else block.warn
        report(token, message, hint, code="no-group")
    text = token.text.lower()
    return text if text.endswith(".") or not ends_with_dot else f"{text}."


def _answers(words: Words, block: BlockContext) -> tuple[bool, list[AnswerRewrite] | None]:
    """`[answer] auto`, `[answer] name FROM TO`, `[answer] value FROM TO`, any number of times; only the first needs its `answer`."""
    auto, answers = False, list[AnswerRewrite]()
    rest, syntax = list(words), "answer auto | answer name FROM TO | answer value FROM TO"
    if rest and rest[0].text != "answer":
        block.error(rest[0], f"`{rest[0].text}` is one word too many", f"behind FROM and TO there may be: {syntax}", code="argument-count")
        return False, None
    while rest:
        keyword = rest.pop(0)
        if keyword.text == "answer" and rest:
            keyword = rest.pop(0)
        if keyword.text == "auto":
            auto = True
        elif keyword.text in ("name", "value") and len(rest) >= 2:
            if answer := _answer("name" if keyword.text == "name" else "value", rest[0], rest[1], block):
                answers.append(answer)
            rest = rest[2:]
        else:
            block.error(keyword, f"`{keyword.text}` does not say how the answer changes", f"write: {syntax}", code="unknown-value")
            return False, None
    if auto and any(answer.part == "name" for answer in answers):
        hint = "remove one of them: both say which names records have"
        block.error(words[0], "`answer auto` and `answer name` exclude each other", hint, code="conflict")
    return auto, answers


def _answer(part: Literal["name", "value"], source: Token, target: Token, block: BlockContext) -> AnswerRewrite | None:
    """One rule about names in answers."""
    if source.text == "auto":
        block.warn(source, "here `auto` is a pattern", "write `answer auto`, without `name`", code="keyword-as-value")
    found = pattern(source, block)
    to = _target(target, block, len(found.groups)) if found else None
    return AnswerRewrite(part=part, pattern=ANY_CASE + source.text, to=to) if to else None


def _type(field: Token, words: Words, block: BlockContext) -> TypeRewrite | None:
    """`type FROM TO`"""
    if not _count(field, words, block, (2,), "type FROM TO"):
        return None
    source, target = (record_type(word, block) for word in words)
    return None if source is None or target is None else TypeRewrite(from_=source, to=target)


def _class(field: Token, words: Words, block: BlockContext) -> ClassRewrite | None:
    """`class FROM TO`"""
    if not _count(field, words, block, (2,), "class FROM TO"):
        return None
    source, target = (record_class(word, block) for word in words)
    return None if source is None or target is None else ClassRewrite(from_=source, to=target)


def _ttl(field: Token, words: Words, block: BlockContext) -> TtlRewrite | None:
    """`ttl [HOW] NAME SECONDS|MIN-MAX|-MAX|MIN-`"""
    if not _count(field, words, block, (2, 3), f"ttl [{'|'.join(HOW)}] NAME SECONDS|MIN-MAX|-MAX|MIN-"):
        return None
    how, words = _how(words, block, whole=len(words) == 2)
    name = _match(how, words[0], block, ends_with_dot=True)[0] if how else None
    bounds = _bounds(words[-1], block)
    return TtlRewrite(name=name, least=bounds[0], most=bounds[1]) if name and bounds else None


def _bounds(token: Token, block: BlockContext) -> tuple[int, int] | None:
    """The least and the most seconds."""
    least, dash, most = token.text.partition("-")
    known = [least or "0", (most or str(MOST_TTL)) if dash else least]
    if token.text != "-" and all(text.isascii() and text.isdigit() for text in known):
        low, high = (int(text) for text in known)
        if low <= high < 2**32:
            return low, high
    hint = "write seconds, or a range of them: 30, 30-300, 30-, -300"
    block.error(token, f"`{token.text}` is no TTL and no range of TTLs", hint, code="bad-value")
    return None


def _rcode(field: Token, words: Words, block: BlockContext) -> RcodeRewrite | None:
    """`rcode [HOW] NAME FROM TO`"""
    if not _count(field, words, block, (3, 4), f"rcode [{'|'.join(HOW)}] NAME FROM TO"):
        return None
    how, words = _how(words, block, whole=len(words) == 3)
    name = _match(how, words[0], block, ends_with_dot=True)[0] if how else None
    source, target = (_rcode_number(word, block) for word in words[-2:])
    return None if name is None or source is None or target is None else RcodeRewrite(name=name, from_=source, to=target)


def _rcode_number(token: Token, block: BlockContext) -> int | None:
    """A response code by name or number."""
    return integer(token, block, 0, MOST_RCODE) if token.text.isdecimal() else rcode(token, block)


def _cname(field: Token, words: Words, block: BlockContext) -> CnameRewrite | None:
    """`cname [HOW] FROM TO`. Only exact names get a dot at the end by themselves, as in CoreDNS."""
    if not _count(field, words, block, (2, 3), f"cname [{'|'.join(HOW)}] FROM TO"):
        return None
    how, words = _how(words, block, whole=len(words) == 2)
    if how is None:
        return None
    name, groups = _match(how, words[0], block, ends_with_dot=False)
    to = _target(words[1], block, groups, ends_with_dot=how == "exact")
    if name is None or to is None:
        return None
    return CnameRewrite(name=NameMatch(how, ANY_CASE + name.text) if how == "regex" else name, to=to)


FIELDS: Mapping[str, Callable[[Token, Words, BlockContext], Rewrite | None]] = {
    "name": _name,
    "type": _type,
    "class": _class,
    "edns0": compile_edns0,
    "ttl": _ttl,
    "rcode": _rcode,
    "cname": _cname,
}

DIRECTIVE = Directive(name="rewrite", compile=compile_rewrite)

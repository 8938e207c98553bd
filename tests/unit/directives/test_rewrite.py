"""`rewrite`"""

import pytest

from clusterdns.corefile.problems import Severity
from clusterdns.plan.ops import RewriteOp
from clusterdns.plan.rewrites import (
    AnswerRewrite,
    ClassRewrite,
    CnameRewrite,
    NameMatch,
    NameRewrite,
    OptionLabel,
    OptionOctets,
    OptionRewrite,
    OptionSubnet,
    OptionVariable,
    RcodeRewrite,
    Rewrite,
    RewriteRule,
    TtlRewrite,
    TypeRewrite,
)
from tests.unit.directives.blocks import compile_lines, problems


def rules(lines: str) -> list[RewriteRule]:
    """The rules of the lines, which have no errors."""
    assert problems(lines) == []
    plan = compile_lines(lines).plan
    assert plan is not None
    (op,) = plan.blocks[0].program
    assert isinstance(op, RewriteOp)
    return op.rules


def name(how: str, text: str, to: str, auto: bool = False, *answers: AnswerRewrite) -> NameRewrite:
    """A rule about names."""
    return NameRewrite(name=NameMatch(how, text), to=to, auto=auto, answers=list(answers))  # type: ignore[arg-type]


def option(action: str, code: int, data: object, revert: bool = False, echo: bool = False) -> OptionRewrite:
    """A rule about an option."""
    return OptionRewrite(action=action, code=code, data=data, revert=revert, echo=echo)  # type: ignore[arg-type]


OWNER = AnswerRewrite(part="name", pattern=r"(?i)(.*)\.b", to="{1}.a.")
VALUE = AnswerRewrite(part="value", pattern=r"(?i)(.*)\.b", to="{1}.a.")


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("name A.example b.example", name("exact", "a.example.", "b.example.", True)),
        ("name exact a.example. b.example.", name("exact", "a.example.", "b.example.", True)),
        ("NAME EXACT a b", name("exact", "a.", "b.", True)),
        (r"name exact a b answer value (.*)\.b {1}.a", name("exact", "a.", "b.", True, VALUE)),
        ("name prefix old new answer auto", name("prefix", "old.", "new.", True)),
        ("name substring x. y. answer auto", name("substring", "x.", "y.", True)),
        ("name suffix .schmoogle.com. .google.com.", name("suffix", ".schmoogle.com.", ".google.com.")),
        (r"name regex (.*)\.a {1}.b answer name (.*)\.b {1}.a", name("regex", r"(.*)\.a", "{1}.b.", False, OWNER)),
        (r"name regex (.*)\.a {1}.b answer auto value (.*)\.b {1}.a", name("regex", r"(.*)\.a", "{1}.b.", True, VALUE)),
        (
            r"name regex (.*)\.a {1}.b answer name (.*)\.b {1}.a value (.*)\.b {1}.a answer value (.*)\.b {1}.a",
            name("regex", r"(.*)\.a", "{1}.b.", False, OWNER, VALUE, VALUE),
        ),
        ("type any hinfo", TypeRewrite(from_=255, to=13)),
        ("class CH in", ClassRewrite(from_=3, to=1)),
        ("ttl a.example 60", TtlRewrite(name=NameMatch("exact", "a.example."), least=60, most=60)),
        ("ttl exact a.example 0-60", TtlRewrite(name=NameMatch("exact", "a.example."), least=0, most=60)),
        ("ttl suffix .min.org 400-", TtlRewrite(name=NameMatch("suffix", ".min.org."), least=400, most=2**31 - 1)),
        ("ttl suffix .max.org -30", TtlRewrite(name=NameMatch("suffix", ".max.org."), least=0, most=30)),
        (r"ttl regex ^r.*\.org 10-20", TtlRewrite(name=NameMatch("regex", r"^r.*\.org"), least=10, most=20)),
        ("rcode a.example SERVFAIL 0", RcodeRewrite(name=NameMatch("exact", "a.example."), from_=2, to=0)),
        ("rcode suffix .a nxdomain 23", RcodeRewrite(name=NameMatch("suffix", ".a."), from_=3, to=23)),
        ("cname a.example B.example", CnameRewrite(name=NameMatch("exact", "a.example."), to="b.example.")),
        ("cname prefix old- new-", CnameRewrite(name=NameMatch("prefix", "old-"), to="new-")),
        ("cname suffix .CDN.example. .other.", CnameRewrite(name=NameMatch("suffix", ".cdn.example."), to=".other.")),
        (r"cname regex (\S*).cdn. {1}.Other.", CnameRewrite(name=NameMatch("regex", r"(?i)(\S*).cdn."), to="{1}.other.")),
        ("edns0 local set 0xffee abcd", option("set", 0xFFEE, OptionOctets("61626364"), echo=True)),
        ("edns0 local append 10 0xABcd revert", option("append", 10, OptionOctets("abcd"), revert=True, echo=True)),
        ("EDNS0 Local Replace 010 {qname}", option("replace", 8, OptionVariable("qname"), echo=True)),
        ("edns0 local set 0b11 {server_port}", option("set", 3, OptionVariable("server_port"), echo=True)),
        ("edns0 local unset 0o17", option("unset", 15, OptionOctets(""), echo=True)),
        ("edns0 nsid set", option("set", 3, OptionOctets(""))),
        ("edns0 nsid append revert", option("append", 3, OptionOctets(""), revert=True)),
        ("edns0 nsid unset", option("unset", 3, OptionOctets(""))),
        ("edns0 subnet set 24 56", option("set", 8, OptionSubnet(24, 56))),
        ("edns0 subnet unset", option("unset", 8, OptionOctets(""))),
    ],
)
def test_a_rule_in_all_its_forms(line: str, change: Rewrite) -> None:
    (rule,) = rules(f"rewrite {line}")
    assert (rule.change, rule.stop) == (change, True)
    # A block is another way to write the words.
    (same,) = rules("rewrite continue {\n" + line.replace(" answer ", "\nanswer ") + "\n}")
    assert (same.change, same.stop) == (change, False)
    field, *words = line.split(" ")
    (same,) = rules(f"rewrite {field} {{\n{' '.join(words)}\n}}")
    assert same.change == change


def test_labels_of_the_metadata_are_used_where_the_block_has_them() -> None:
    line = "rewrite edns0 local set 0xffee {view/name}"
    (rule,) = rules(line)
    assert rule.change == option("set", 0xFFEE, OptionLabel("view/name"), echo=True)
    assert any("the label `view/name` is always empty" in message for _, message in problems(line, Severity.WARNING))
    lines = f"metadata\nview inside {{\nexpr true\n}}\n{line}"
    compilation = compile_lines(lines)
    assert compilation.problems == ()
    assert compilation.plan is not None
    metadata = compilation.plan.blocks[0].metadata
    assert metadata is not None
    assert list(metadata.labels) == ["view/name"]


def test_rules_of_a_block_keep_their_order_and_places() -> None:
    lines = "rewrite continue type A AAAA\nrewrite STOP class CH IN\nrewrite name a b"
    found = rules(lines)
    assert [rule.stop for rule in found] == [False, True, True]
    plan = compile_lines(lines).plan
    assert plan is not None
    assert [plan.spans[rule.span].line for rule in found] == [2, 3, 4]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("", "`rewrite` does not say what to change | write: rewrite [continue|stop] name|type|class|edns0|ttl|rcode|cname ..."),
        ("stop", "`rewrite` does not say what to change"),
        ("names a b", "`names` is nothing that can be changed | did you mean `name`?"),
        ("answer name a b", "an answer is changed by a rule for `name`"),
        ("name a", "a rule for `name` takes at least 2 arguments, found 1 | write: name [exact|prefix|suffix|substring|regex] FROM TO"),
        ("name a b c", "`a` is not one of exact, prefix, suffix, substring, regex"),
        ("name regex ( x", "`(` is no regular expression: `(` without `)`"),
        ("name regex a++ x", "`+` repeats what is repeated already"),
        ("name regex (a) {1}{2}", "`{2}` is a group that the pattern does not have | it has 1; a group is what stands in parentheses"),
        ("name regex a {1}", "`{1}` is a group that the pattern does not have | put what it is to stand for into parentheses"),
        ('name prefix "" x', "an empty text is in every name"),
        ("name suffix a b auto", "`auto` is one word too many | behind FROM and TO there may be: answer auto"),
        ("name suffix a b answer", "`answer` does not say how the answer changes"),
        ("name suffix a b answer names x y", "`names` does not say how the answer changes"),
        ("name suffix a b answer name x", "`name` does not say how the answer changes"),
        ("name suffix a b answer auto name x y", "`answer auto` and `answer name` exclude each other"),
        ("name suffix a b answer value ( y", "`(` is no regular expression"),
        ("type FOO A", "`FOO` is no record type"),
        ("type A", "a rule for `type` takes 2 arguments, found 1 | write: type FROM TO"),
        ("class IN CH HS", "a rule for `class` takes 2 arguments, found 3"),
        ("class IN XX", "`XX` is no class"),
        ("ttl a.example", "a rule for `ttl` takes 2 or 3 arguments, found 1"),
        ("ttl a.example x", "`x` is no TTL and no range of TTLs | write seconds, or a range of them: 30, 30-300, 30-, -300"),
        ("ttl a.example -", "`-` is no TTL"),
        ("ttl a.example 30-20", "`30-20` is no TTL"),
        ("ttl a.example 1-2-3", "`1-2-3` is no TTL"),
        ("ttl a.example 4294967296", "`4294967296` is no TTL"),
        ("ttl like a.example 5", "`like` is not one of"),
        ("rcode a SERVFAIL", "a rule for `rcode` takes 3 or 4 arguments, found 2"),
        ("rcode a FAIL NOERROR", "`FAIL` is no response code"),
        ("rcode a 24 0", "24"),
        ("cname a", "a rule for `cname` takes 2 or 3 arguments, found 1"),
        ("cname like a b", "`like` is not one of"),
        ("cname regex [ b", "`[` is no regular expression: `[` without `]`"),
        ("edns0 local", "a rule for `edns0` needs an option and an action"),
        ("edns0 foo set 1 2", "`foo` is not one of local, nsid, subnet"),
        ("edns0 local put 1 2", "`put` is not one of set, append, replace, unset"),
        ("edns0 local set 1", "`edns0 local set` has 1 arguments"),
        ("edns0 local unset 1 2", "`edns0 local unset` has 2 arguments"),
        ("edns0 local unset 1 revert", "`edns0 local unset` has 2 arguments"),
        ("edns0 local set 65536 x", "`65536` is no code of an option"),
        ("edns0 local set ten x", "`ten` is no code of an option"),
        ("edns0 local set 1 0x123", "`0x123` is not hexadecimal"),
        ("edns0 local set 1 {qnames}", "`{qnames}` is no variable | there are: {qname}, {qtype}, {client_ip}"),
        (f"edns0 local set 1 {'x' * 4097}", "an option of 4097 octets is too long"),
        ("edns0 nsid set x", "`edns0 nsid set` has 1 arguments"),
        ("edns0 subnet set 24", "`edns0 subnet set` has 1 arguments"),
        ("edns0 subnet set 33 56", "32"),
        ("edns0 subnet set 24 129", "128"),
        ("name a b {\nc\n}", "this rule is whole without a block"),
        ("continue {\ntype A {\nAAAA\n}\n}", "`type` takes no block"),
    ],
)
def test_what_is_wrong_is_told(line: str, part: str) -> None:
    assert any(part in message for _, message in problems(f"rewrite {line}"))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("name suffix .a .b", "foreign-answer"),
        ("name prefix old- new- answer auto", "whole-labels"),
        ("name substring foo bar answer auto", "whole-labels"),
        ("ttl prefix old- 5", "whole-labels"),
        ("cname suffix .cdn .other", "no-effect"),
        ("name a..b c", "no-effect"),
        ("name a b..c", "bad-name"),
        ("name suffix .a {1}.b answer auto", "no-groups"),
        ("name regex (a) {2} answer auto", "no-group"),
        ("name suffix .arpa .arpa answer name auto answer value a b", "keyword-as-value"),
    ],
)
def test_what_coredns_takes_and_does_something_else_with_is_doubtful(line: str, code: str) -> None:
    assert problems(f"rewrite {line}") == []
    assert code in [found for found, _ in problems(f"rewrite {line}", Severity.WARNING)]


def test_the_hint_for_a_part_of_a_label_is_a_regex() -> None:
    ((_, message),) = problems("rewrite name prefix old- new- answer auto", Severity.WARNING)
    assert message == "`old-` means `old-.`: it matches at the end of a label only | to match a part of one, write: regex ^old-"

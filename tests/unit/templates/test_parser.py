"""Templates become trees; what cannot be one is told with its place."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterdns.templates import TemplateError, parse_template
from clusterdns.templates.parser import MOST_NESTED, MOST_PARTS

FILE = Path(__file__).parents[2] / "templates/recorded.json"
RECORDED: list[dict[str, Any]] = json.loads(FILE.read_text())


def pieces(text: str) -> Any:
    """The tree as a document."""
    return msgspec.to_builtins(parse_template(text).record.pieces)


def problem(text: str) -> TemplateError:
    """Why this is no template."""
    with pytest.raises(TemplateError) as raised:
        parse_template(text)
    return raised.value


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["template"])
def test_a_template_that_go_reads_is_the_tree_of_the_golden_file(recorded: dict[str, Any]) -> None:
    """What we refuse at once, Go refuses too, or it fails for every query."""
    try:
        template = parse_template(recorded["template"])
    except TemplateError:
        assert "error" in recorded or "refused" in recorded
        assert "pieces" not in recorded
        return
    if "UPDATE_TEMPLATES" in os.environ:
        recorded["pieces"] = pieces(recorded["template"])
        FILE.write_text(json.dumps(RECORDED, indent=1, ensure_ascii=False) + "\n")
    assert pieces(recorded["template"]) == recorded["pieces"]
    assert template.record.source == recorded["source"], "metrics have it as Go prints it"


@pytest.mark.parametrize(
    ("text", "at", "message", "hint"),
    [
        ("x {{ .Name", 2, "the action has no end", "write }} behind it"),
        ("{{ }}", 3, "a value is missing", ""),
        ("{{ .Nam }}", 3, "there is no field `.Nam` here", "did you mean `.Name`?"),
        ("{{ .Foo }}", 3, "there is no field `.Foo` here", "there are: .Class, .Group"),
        ("{{ .Message.Extra }}", 11, "there is no field `.Extra` here", "there are: .Id"),
        ("{{ .Name.Foo }}", 8, "`.Name` is a text and has no field `Foo`", ""),
        ("{{ .Name 1 }}", 3, "`.Name` is no function", "there are the functions and, or"),
        ("{{ .Group.a-b }}", 11, "`-` cannot stand in a name: `.a-...`", 'write: index .Group "NAME"'),
        ("{{ $x }}", 3, "there is no variable `$x`", "write {{ $x := ... }} before"),
        ("{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", 38, "there is no variable `$x`", ""),
        ("{{ lower .Name }}", 3, "there is no function `lower`", "there are the functions"),
        ("{{ parseint .Name 10 8 }}", 3, "there is no function `parseint`", "did you mean `parseInt`?"),
        ("{{ html .Name }}", 3, "`html` is not supported", ""),
        ('{{ template "x" }}', 3, "`template` is not supported", ""),
        ("{{ parseInt .Name }}", 3, "`parseInt` takes 3 arguments, found 1", ""),
        ("{{ not }}", 3, "`not` takes 1 argument, found 0", ""),
        ("{{ slice 1 2 3 4 }}", 3, "`slice` takes 1 to 3 arguments, found 4", ""),
        ("{{ eq 1 }}", 3, "`eq` takes at least 2 arguments, found 1", ""),
        ("{{ print len }}", 9, "`len` has arguments of its own", "write: (len ...)"),
        ('{{ printf "%*d" 1 2 }}', 10, "`*` in a format is not supported", ""),
        ("{{ .Name | 3 }}", 11, "`3` is no function: it cannot stand behind `|`", ""),
        ("{{ .Name | .Zone }}", 11, "`.Zone` is no function", ""),
        ("{{ | len }}", 3, "a value is missing in an action", ""),
        ("{{ .Name | }}", 11, "a value is missing in an action", ""),
        ("{{ nil }}", 3, "`nil` alone is no value", ""),
        ("{{ (len .Name }}", 3, "the parenthesis is not closed", "write )"),
        ("{{ .Name ) }}", 9, "`)` cannot stand here", ""),
        ('{{ len"x" }}', 6, '`"` cannot stand in a name', ""),
        ('{{ print "a""b" }}', 12, "a blank is missing before", ""),
        ("{{ 1.5 }}", 3, "`1.5` is no whole number", "fractions are not supported"),
        ("{{ 99999999999999999999 }}", 3, "is too large", ""),
        ("{{ 'ab' }}", 3, "`'ab'` is no character", ""),
        ('{{ "\\q" }}', 4, "`\\q` is no escape", ""),
        ('{{ "a }}', 3, 'the text has no end: " is missing', ""),
        ("{{ a ? b }}", 5, "`?` cannot stand in an action", ""),
        ("{{/* x }}", 2, "the remark has no end", "write */"),
        ("{{/* x */ y }}", 9, "a remark stands alone", ""),
        ("{{ if }}x{{ end }}", 6, "a value is missing in `if`", ""),
        ("{{ if .Name }}x", 3, "`if` has no end", "write {{ end }}"),
        ("x{{ end }}", 1, "`end` belongs to nothing", "remove it"),
        ("x{{ else }}", 1, "`else` belongs to nothing", ""),
        ("{{ if .Name }}{{ else }}{{ else }}{{ end }}", 24, "`else` stands behind an `else`", ""),
        ("{{ range .Match }}{{ else if .Name }}{{ end }}", 26, "`if` cannot follow the `else` of `range`", ""),
        ("{{ if .Name }}{{ end x }}", 21, "`x` cannot stand here", ""),
        ("{{ break }}", 3, "`break` stands in no `range`", ""),
        ("{{ $a, $b := .Match }}", 7, "only `range` has two variables", ""),
        ("{{ $x := 1 }}{{ range $x = .Match }}{{ end }}", 22, "`range` sets new variables only", ""),
        ("{{ . }}", 3, "the query as a whole has no text", "there are: .Class"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, at: int, message: str, hint: str) -> None:
    found = problem(text)
    assert message in str(found)
    assert hint in found.hint
    assert found.at == at


def test_groups_are_remembered_with_their_places() -> None:
    text = '{{ .Group.a }}{{ index .Group "b" }}{{ range .Match }}{{ $.Group.c }}{{ .Group.d }}{{ end }}'
    groups = parse_template(text).groups
    assert [name for name, _ in groups] == ["a", "b", "c"]
    assert [text[at:].split()[0] for _, at in groups] == [".a", '"b"', ".c"]


def test_labels_are_remembered_with_their_places() -> None:
    text = '{{ if eq (.Meta "a/b") "x" }}{{ $.Meta `c/d` | len }}{{ end }}'
    template = parse_template(text)
    assert template.record.source == '{{if eq (.Meta "a/b") "x"}}{{$.Meta `c/d` | len}}{{end}}'
    assert [(label, text[at]) for label, at in template.labels] == [("a/b", '"'), ("c/d", "`")]


@pytest.mark.parametrize("text", ["{{ .Meta }}", "{{ .Meta .Name }}", '{{ eq .Meta "a/b" }}', '{{ .Meta"a/b" }}'])
def test_a_label_is_a_text_of_its_own_command(text: str) -> None:
    with pytest.raises(TemplateError):
        parse_template(text)


@pytest.mark.parametrize(("text", "fixed"), [("a. A 192.0.2.1", "a. A 192.0.2.1"), ("a{{/* x */}}b", "ab"), ("", ""), ("{{ 1 }}", None)])
def test_a_text_without_actions_is_fixed(text: str, fixed: str | None) -> None:
    assert parse_template(text).fixed == fixed


@pytest.mark.parametrize(
    ("opening", "closing", "most"),
    [("{{ if true }}", "{{ end }}", MOST_NESTED), ("{{ (", ") }}", 1), ("{{ with 1 }}{{ else }}", "{{ end }}", MOST_NESTED)],
)
def test_templates_are_nested_so_deep_and_no_deeper(opening: str, closing: str, most: int) -> None:
    assert parse_template(f"{opening * most}1{closing * most}")
    with pytest.raises(TemplateError, match=f"nested more than {MOST_NESTED} deep|cannot stand"):
        parse_template(f"{opening * (most + 1)}1{closing * (most + 1)}")


def test_pipelines_are_nested_so_deep_and_no_deeper() -> None:
    def nested(depth: int) -> str:
        return f"{{{{ {'len (' * depth}1{')' * depth} }}}}"

    assert parse_template(nested(MOST_NESTED - 1))
    assert "nested more than" in str(problem(nested(MOST_NESTED)))
    assert "nested more than" in str(problem(f"{{{{ {'(' * 5000}1{')' * 5000} }}}}"))
    assert "nested more than" in str(problem(f"{{{{ .Name {'| len' * 50} }}}}"))


def test_a_long_chain_of_conditions_is_not_deep() -> None:
    branches = "".join(f'{{{{ else if eq .Type "T{number}" }}}}{number}' for number in range(60))
    (piece,) = pieces(f"{{{{ if .Name }}}}x{branches}{{{{ end }}}}")
    assert len(piece["branches"]) == 61


def test_the_number_of_parts_is_bounded() -> None:
    assert f"more than {MOST_PARTS} parts" in str(problem("{{ .Name }}" * MOST_PARTS))


TERMS = st.recursive(
    st.sampled_from([".Name", ".Group.a", "$.Zone", ".", "$v", "1", "-5", "true", '"q\\"x"', "`raw`", "'a'", "0x1f"]),
    lambda term: st.one_of(
        st.tuples(st.sampled_from(["len", "not"]), term).map(lambda parts: f"({parts[0]} {parts[1]})"),
        st.tuples(st.sampled_from(["eq", "and", "index", "print"]), term, term).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(term, st.sampled_from(["len", 'printf "%s"', "eq 1"])).map(lambda parts: f"({parts[0]} | {parts[1]})"),
    ),
    max_leaves=6,
)
TEXTS = st.text("ab {}\n.", max_size=8).filter(lambda text: "{{" not in text and not text.rstrip().endswith("{"))
OPENS, CLOSES = st.sampled_from(["{{", "{{ ", "{{- "]), st.sampled_from(["}}", " }}", " -}}"])
ACTIONS = st.tuples(OPENS, TERMS.filter(lambda term: term != "."), CLOSES).map("".join)
TEMPLATES = st.recursive(
    st.one_of(TEXTS, ACTIONS, st.just("{{/* remark */}}")),
    lambda part: st.one_of(
        st.lists(part, max_size=3).map("".join),
        st.tuples(st.sampled_from(["if", "with", "range"]), TERMS, part, part).map(
            lambda parts: f"{{{{ {parts[0]} {parts[1]} }}}}{parts[2]}{{{{ else }}}}{parts[3]}{{{{ end }}}}"
        ),
        st.tuples(TERMS, part, TERMS, part).map(
            lambda parts: f"{{{{ if {parts[0]} }}}}{parts[1]}{{{{ else if {parts[2]} }}}}{parts[3]}{{{{ end }}}}"
        ),
    ),
    max_leaves=8,
).map(lambda text: f"{{{{ $v := 1 }}}}{text}")


@given(TEMPLATES)
def test_what_go_prints_of_a_template_is_the_same_template(text: str) -> None:
    source = parse_template(text).record.source
    assert parse_template(source).record.source == source
    assert joined(pieces(source)) == joined(pieces(text))


def joined(tree: Any) -> Any:
    """A tree whose neighbouring texts are one, as a remark between them leaves no trace, and neither does `else if`."""
    if isinstance(tree, dict):
        if tree.get("piece") == "if" and len(tree["branches"]) > 1:
            first, *rest = tree["branches"]
            tree = tree | {"branches": [first], "otherwise": [tree | {"branches": rest}]}
        return {key: joined(value) for key, value in tree.items()}
    if not isinstance(tree, list):
        return tree
    items: list[Any] = []
    for item in map(joined, tree):
        if items and isinstance(item, dict) and item.get("piece") == "text" and items[-1].get("piece") == "text":
            items[-1] = items[-1] | {"text": items[-1]["text"] + item["text"]}
        else:
            items.append(item)
    return items


@given(st.text(st.characters(codec="utf-8"), max_size=60) | st.text("{}$.()|:=\"'`%- abN/*", max_size=60))
def test_any_text_is_a_template_or_told(text: str) -> None:
    with suppress(TemplateError):
        parse_template(text)

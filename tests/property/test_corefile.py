"""The Corefile language: a printed tree parses to itself, and no text is too much for the compiler."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from clusterdns.compiler import compile_plan
from clusterdns.corefile.lexer import read_words
from clusterdns.corefile.problems import Place, has_errors
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.corefile.tree import Line, ServerBlock, Token, Tree, tree_hash
from clusterdns.directives import TABLE
from clusterdns.directives.options import suggestion
from clusterdns.plan import decode_plan, encode_plan
from clusterdns.sources import sources_of_texts

NOWHERE = Place("")

Shape = list[tuple[list[str], list[object]]]


def shape_of_lines(lines: tuple[Line, ...]) -> list[object]:
    """Lines without places."""
    return [
        ([token.text for token in (line.name, *line.args)], None if line.block is None else shape_of_lines(line.block)) for line in lines
    ]


def shape(tree: Tree) -> Shape:
    """A tree without places."""
    return [([key.text for key in block.keys], shape_of_lines(block.lines)) for block in tree.blocks]


def printed_word(text: str) -> str:
    """A word as a Corefile has it."""
    plain = re.fullmatch(r"[!$-~]+", text)
    return text if plain else '"' + text.replace('"', '\\"') + '"'


def printed_lines(lines: tuple[Line, ...], indent: str) -> str:
    """Lines as a Corefile has them."""
    text = ""
    for line in lines:
        words = " ".join(printed_word(token.text) for token in (line.name, *line.args))
        inside = "" if line.block is None else f" {{\n{printed_lines(line.block, indent + '    ')}{indent}}}"
        text += f"{indent}{words}{inside}\n"
    return text


def printed(tree: Tree) -> str:
    """A tree as a Corefile."""
    blocks = (
        f"{' '.join(printed_word(key.text) for key in block.keys)} {{\n{printed_lines(block.lines, '    ')}}}\n" for block in tree.blocks
    )
    return "\n".join(blocks)


# Words that mean something by themselves are left out: braces, variables, `import`, and a backslash that quotes cannot keep.
texts = st.text(st.characters(codec="utf-8", exclude_characters="{}\\"), min_size=1, max_size=8).filter(lambda text: text != "import")
keys = texts.filter(lambda text: not text.endswith(",") and not text.startswith("("))
words = texts.map(lambda text: Token(text, NOWHERE))
lines = st.recursive(
    st.builds(Line, words, st.lists(words, max_size=3).map(tuple), st.none()),
    lambda inner: st.builds(Line, words, st.lists(words, max_size=2).map(tuple), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=6,
)
blocks = st.builds(
    ServerBlock,
    st.lists(keys.map(lambda text: Token(text, NOWHERE)), min_size=1, max_size=3).map(tuple),
    st.lists(lines, max_size=4).map(tuple),
)
trees = st.lists(blocks, max_size=3).map(lambda found: Tree(tuple(found)))


@given(trees)
def test_a_printed_tree_parses_to_itself(tree: Tree) -> None:
    parsed = parse_corefile("Corefile", sources_of_texts({"Corefile": printed(tree)}))
    assert parsed.problems == ()
    assert shape(parsed.tree) == shape(tree)
    assert tree_hash(parsed.tree) == tree_hash(tree)


pieces = st.sampled_from(
    [
        *("{", "}", "{", "}", "\n", "\n", "\n", "    ", ",", '"', "\\", "#", "\r", "\t", "\ufeff", "é", "\x00", "'"),
        *("import", "import s", "import a", "import *.b", "import {$A}", "(s)", "(a)", "{$A}", "{%B%}", "{$", "%}", "{$LOOP}"),
        *(".:53", "example.org", "10.0.0.0/15", "dns://.", "tls://a", "a..b", ":", "::/0", "x{"),
        *TABLE,
        *("stdout", "stacktrace", "off", "30s", "1s", "weighted", "weights", "round_robin", "prefer", "reload", "10.0.0.0/8"),
        *("127.0.0.1", "::1", "eth0", "except", "cluster.local", "manifests", "pods", "insecure", "fallthrough", "ttl", "labels"),
    ]
)
corefiles = st.lists(st.tuples(pieces, st.sampled_from(["", " ", " ", "\n"])).map("".join), max_size=40).map("".join)


@given(st.one_of(st.text(), corefiles), corefiles)
@example(". {\n" * 2000, "")
@example("(a) {\n import b\n}\n(b) {\n import a\n}\n. {\n import a\n}\n", "")
@settings(max_examples=200, deadline=None)
def test_any_text_becomes_a_plan_or_an_error(text: str, imported: str) -> None:
    files = {"Corefile": text, "a": imported, "x.b": imported, "weights": text}
    sources = sources_of_texts(files, {"A": "example.org", "B": "{$A} b", "LOOP": "{$LOOP}"})
    parsed = parse_corefile("Corefile", sources)
    compilation = compile_plan(parsed, sources)
    assert (compilation.plan is None) == has_errors(compilation.problems)
    if compilation.plan is not None:
        assert decode_plan(encode_plan(compilation.plan)) == compilation.plan
    for problem in compilation.problems:
        source = parsed.texts[problem.place.file].split("\n")
        assert problem.code
        assert problem.message
        assert 0 <= problem.place.line <= len(source)
        assert problem.place.column <= len(source[problem.place.line - 1]) + 1


@given(st.text())
def test_every_word_stands_where_it_says(text: str) -> None:
    source = text.removeprefix("\ufeff").split("\n")
    for word in read_words(text, "Corefile")[0]:
        rest = source[word.place.line - 1][word.place.column - 1 :]
        assert rest.startswith('"' if word.quoted else word.text[:1])


@given(st.text(max_size=20))
def test_there_is_a_suggestion_for_any_word(text: str) -> None:
    assert suggestion(text, TABLE)

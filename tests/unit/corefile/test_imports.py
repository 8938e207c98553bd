"""Rule G5: snippets and imported files."""

from collections.abc import Sequence

import pytest

from clusterdns.corefile import words
from clusterdns.corefile.problems import Severity
from clusterdns.corefile.syntax import Parsed, parse_corefile
from clusterdns.sources import Sources, sources_of_texts


def parse(files: dict[str, str], **environment: str) -> Parsed:
    """The Corefile among these files."""
    return parse_corefile(next(iter(files)), sources_of_texts(files, environment))


def lines(parsed: Parsed) -> list[list[str]]:
    """The lines of each block."""
    return [[line.text for line in block.lines] for block in parsed.tree.blocks]


def codes(parsed: Parsed) -> list[str]:
    """The codes of the problems."""
    return [problem.code for problem in parsed.problems]


def test_G5_import_of_a_snippet() -> None:
    parsed = parse({"Corefile": "(s) {\n errors\n cache 30\n}\n. {\n import s\n whoami\n}\norg {\n import s\n}"})
    assert lines(parsed) == [["errors", "cache 30", "whoami"], ["errors", "cache 30"]]
    assert parsed.tree.blocks[0].lines[0].place.line == 2


def test_G5_import_inside_a_directive() -> None:
    parsed = parse({"Corefile": "(s) { except a }\n. {\n forward . x {\n  import s\n  import s\n  expire 1s\n }\n}"})
    block = parsed.tree.blocks[0].lines[0].block
    assert block is not None
    assert [line.text for line in block] == ["except a", "except a", "expire 1s"]


def test_G5_import_of_a_file_at_the_top_and_in_a_block() -> None:
    files = {"Corefile": ". {\n import one\n}\nimport two", "one": "errors", "two": "org {\n whoami\n}\n"}
    parsed = parse(files)
    assert lines(parsed) == [["errors"], ["whoami"]]
    assert parsed.files == ("Corefile", "one", "two")
    assert parsed.texts == files


def test_G5_keys_can_be_imported() -> None:
    assert [key.text for key in parse({"Corefile": "a,\nimport k\n{\n}", "k": "b c"}).tree.blocks[0].keys] == ["a", "b", "c"]


def test_G5_an_imported_snippet_can_be_used_behind_the_import() -> None:
    assert lines(parse({"Corefile": "import s\n. {\n import s1\n}", "s": "(s1) {\n errors\n}"})) == [["errors"]]


def test_G5_import_of_a_glob_brings_its_files_in_order() -> None:
    files = {"etc/Corefile": ". {\n import custom/*.override\n}", "etc/custom/b.override": "log", "etc/custom/a.override": "errors\n"}
    assert lines(parse(files)) == [["errors", "log"]]


def test_G5_a_glob_without_a_match_is_a_warning() -> None:
    parsed = parse({"Corefile": ". {\n import custom/*.override\n whoami\n}\nimport custom/*.server"})
    assert lines(parsed) == [["whoami"]]
    assert {problem.severity for problem in parsed.problems} == {Severity.WARNING}
    assert [problem.message for problem in parsed.problems] == [
        "No files matching import glob pattern: custom/*.override",
        "No files matching import glob pattern: custom/*.server",
    ]


def test_G5_a_path_is_relative_to_the_file_of_its_word() -> None:
    files = {"/etc/Corefile": ". {\n import sub/a\n}", "/etc/sub/a": "import b\nimport /abs/c", "/etc/sub/b": "errors", "/abs/c": "log"}
    assert lines(parse(files)) == [["errors", "log"]]


def test_G5_a_path_in_a_snippet_is_relative_to_the_file_of_the_snippet() -> None:
    files = {"Corefile": "import sub/s\n. {\n import s\n}", "sub/s": "(s) {\n import x\n}", "sub/x": "errors"}
    assert lines(parse(files)) == [["errors"]]


def test_G5_a_snippet_comes_before_a_file_of_the_same_name() -> None:
    assert lines(parse({"Corefile": "(a) {\n errors\n}\n. {\n import a\n}", "a": "log"})) == [["errors"]]


def test_G5_variables_count_in_import_paths() -> None:
    assert lines(parse({"Corefile": ". {\n import {$WHAT}\n}", "a": "log"}, WHAT="a")) == [["log"]]


@pytest.mark.parametrize("pattern", ["*/*.conf", "??", "[ab]", "[a", "a[b]*"])
def test_G5_a_pattern_has_one_wildcard(pattern: str) -> None:
    assert codes(parse({"Corefile": f". {{\n import {pattern}\n}}", "a": "log"})) == ["bad-glob"]


def test_G5_one_star_and_one_question_mark_are_fine() -> None:
    assert lines(parse({"Corefile": ". {\n import ?a*\n}", "xab": "log"})) == [["log"]]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("import", "argument-count"),
        ("import nosuch", "import-not-found"),
        ("import {$UNSET}", "empty-import"),
        ('import ""', "empty-import"),
    ],
)
def test_G5_an_import_of_nothing_is_an_error(line: str, code: str) -> None:
    parsed = parse({"Corefile": f". {{\n {line}\n whoami\n}}"})
    assert codes(parsed) == [code]
    assert lines(parsed) == [["whoami"]]


def test_G5_an_import_takes_one_name() -> None:
    parsed = parse({"Corefile": ". {\n import a b\n}", "a": "log"})
    assert codes(parsed) == ["argument-count"]
    assert lines(parsed) == [["log"]]


def test_G5_a_snippet_can_only_be_used_behind_its_definition() -> None:
    parsed = parse({"Corefile": ". {\n import a\n}\n(a) {\n errors\n}"})
    assert codes(parsed) == ["import-not-found"]
    assert parsed.problems[0].hint == "the snippet (a) is defined at Corefile:4:1; move it above this line"


def test_G5_a_snippet_cannot_be_defined_twice() -> None:
    parsed = parse({"Corefile": "(a) {\n errors\n}\n(a) {\n log\n}\n. {\n import a\n}"})
    assert [(problem.code, problem.place.line) for problem in parsed.problems] == [("snippet-twice", 4)]
    assert lines(parsed) == [["errors"]]


@pytest.mark.parametrize(
    "files",
    [
        {"Corefile": "(a) {\n import a\n}\n"},
        {"Corefile": "(a) { import {$N}\n}\n"},
        {"Corefile": "(a) {\n import b\n}\n(b) {\n import a\n}\n. {\n import a\n}"},
        {"Corefile": ". {\n import a\n}", "a": "import a"},
        {"Corefile": ". {\n import a\n}", "a": "log\nimport b\nerrors", "b": "import a"},
        {"Corefile": ". {\n import *\n}"},
    ],
)
def test_G5_what_imports_itself_is_refused_at_once(files: dict[str, str]) -> None:
    assert codes(parse(files, N="a")) == ["endless-import"]


def test_G5_a_file_of_a_glob_may_import_another_of_it() -> None:
    assert lines(parse({"Corefile": ". {\n import d/*\n}", "d/1": "import 2", "d/2": "log"})) == [["log", "log"]]


@pytest.mark.parametrize("limit", ["MOST_SNIPPETS", "MOST_FILES", "MOST_WORDS"])
def test_G5_there_is_a_limit_to_imports_which_is_told_once(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, limit, 3)
    files = {"Corefile": "(s) {\n log\n}\n. {\n" + " import s\n import f\n" * 10 + "}", "f": "log"}
    parsed = parse(files)
    assert codes(parsed) == ["too-many-imports"]
    assert 3 <= len(parsed.tree.blocks[0].lines) <= 9


def test_G5_snippets_that_double_at_each_step_end() -> None:
    snippets = "(s0) {\n log\n}\n" + "".join(f"(s{n}) {{\n import s{n - 1}\n import s{n - 1}\n}}\n" for n in range(1, 40))
    assert codes(parse({"Corefile": snippets + ". {\n import s39\n}"})) == ["too-many-imports"]


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (IsADirectoryError(21, "Is a directory"), "Is a directory"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "it is not UTF-8 text"),
    ],
)
def test_G5_a_file_that_cannot_be_read_says_why(failure: Exception, why: str) -> None:
    def read(path: str) -> str:
        if path == "Corefile":
            return ". {\n import *.conf\n import *.conf\n}"
        raise failure

    parsed = parse_corefile("Corefile", Sources(read=read, glob=lambda pattern: ["x.conf"]))
    assert [problem.message for problem in parsed.problems] == [f"cannot read x.conf: {why}"]


def test_G5_a_folder_that_cannot_be_listed_is_a_problem() -> None:
    def glob(pattern: str) -> Sequence[str]:
        raise PermissionError(13, "Permission denied")

    parsed = parse_corefile("Corefile", Sources(read=lambda path: "import *.conf", glob=glob))
    assert [problem.message for problem in parsed.problems] == ["cannot look for `*.conf`: Permission denied"]


def test_G5_each_import_of_a_missing_file_is_told() -> None:
    parsed = parse({"Corefile": ". {\n import a\n import a\n}"})
    assert [(problem.code, problem.place.line) for problem in parsed.problems] == [("import-not-found", 2), ("import-not-found", 3)]

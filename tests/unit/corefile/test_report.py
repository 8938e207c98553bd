"""The report: text for people, JSON for programs."""

import json

from clusterdns.corefile.problems import Place, Problem, Severity
from clusterdns.corefile.report import json_report, text_report

TEXTS = {"Corefile": "\ufeff.:53 {\n\tforwad . 1.1.1.1#x\n}\n"}
UNKNOWN = Problem(Severity.ERROR, "unknown-directive", Place("Corefile", 2, 2), "unknown directive `forwad`", "did you mean `forward`?")
QUIET = Problem(Severity.WARNING, "no-key", Place("Corefile", 1, 6), "a message")
WHOLE = Problem(Severity.ERROR, "unreadable", Place("Corefile"), "cannot read it")


def test_a_problem_has_its_place_its_line_a_caret_and_a_hint() -> None:
    assert text_report([UNKNOWN], TEXTS) == (
        "Corefile:2:2: error: unknown directive `forwad` [unknown-directive]\n"
        "    2 | \tforwad . 1.1.1.1#x\n"
        "      | \t^~~~~~\n"
        "      = did you mean `forward`?\n"
    )


def test_the_caret_marks_one_word_and_the_hint_may_be_missing() -> None:
    assert text_report([QUIET], TEXTS).splitlines()[1:] == ["    1 | .:53 {", "      |      ^"]
    quoted = Problem(Severity.ERROR, "c", Place("f", 1, 1), "m")
    assert text_report([quoted], {"f": '"a b" c'}).splitlines()[2] == "      | ^~~~~"


def test_a_problem_of_a_whole_file_or_an_unknown_file_has_no_line() -> None:
    assert text_report([WHOLE], TEXTS) == "Corefile: error: cannot read it [unreadable]\n"
    assert text_report([UNKNOWN], {}).splitlines()[1] == "      = did you mean `forward`?"


def test_colours_come_only_when_asked_for() -> None:
    assert "\x1b" not in text_report([UNKNOWN], TEXTS)
    assert "\x1b[1;31merror\x1b[0m" in text_report([UNKNOWN], TEXTS, colour=True)


def test_the_json_has_all_fields() -> None:
    assert json.loads(json_report([UNKNOWN, WHOLE])) == {
        "problems": [
            {
                "severity": "error",
                "code": "unknown-directive",
                "file": "Corefile",
                "line": 2,
                "column": 2,
                "message": "unknown directive `forwad`",
                "hint": "did you mean `forward`?",
            },
            {
                "severity": "error",
                "code": "unreadable",
                "file": "Corefile",
                "line": 0,
                "column": 0,
                "message": "cannot read it",
                "hint": "",
            },
        ]
    }


def test_no_problems_are_an_empty_list() -> None:
    assert json.loads(json_report([])) == {"problems": []}

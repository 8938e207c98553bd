"""Flags as Go's programs take them."""

from __future__ import annotations

import pytest

from clusterdns.cli.flags import Flag, FlagError, parse_flags, usage

FLAGS = {"conf": Flag("Corefile", "file"), "p": Flag("", "port"), "quiet": Flag("", "say nothing", switch=True)}


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ([], {}),
        (["-conf", "x"], {"conf": "x"}),
        (["--conf", "x"], {"conf": "x"}),
        (["-conf=x"], {"conf": "x"}),
        (["--conf=x=y"], {"conf": "x=y"}),
        (["-conf="], {"conf": ""}),
        (["-conf", "-quiet"], {"conf": "-quiet"}),
        (["-conf", "x", "-conf", "y"], {"conf": "y"}),
        (["-quiet"], {"quiet": "true"}),
        (["--quiet=t", "-p", "53"], {"quiet": "true", "p": "53"}),
        (["-quiet", "-quiet=false"], {}),
    ],
)
def test_values(arguments: list[str], values: dict[str, str]) -> None:
    assert parse_flags(arguments, FLAGS) == ({"conf": "Corefile", "p": "", "quiet": ""} | values, [])


@pytest.mark.parametrize(
    ("arguments", "rest"),
    [(["word", "-quiet"], ["word", "-quiet"]), (["--", "-quiet"], ["-quiet"]), (["-"], ["-"]), (["-quiet", "true"], ["true"])],
)
def test_the_first_word_ends_the_flags(arguments: list[str], rest: list[str]) -> None:
    assert parse_flags(arguments, FLAGS)[1] == rest


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-nosuch"], "flag provided but not defined: -nosuch"),
        (["---conf", "x"], "flag provided but not defined: --conf"),
        (["-conf"], "flag needs an argument: -conf"),
        (["-quiet=perhaps"], 'invalid boolean value "perhaps" for -quiet'),
    ],
)
def test_what_is_wrong(arguments: list[str], why: str) -> None:
    with pytest.raises(FlagError) as raised:
        parse_flags(arguments, FLAGS)
    assert str(raised.value) == why


def test_usage_has_every_flag_with_its_default() -> None:
    assert usage("serve", FLAGS) == (
        "Usage of serve:\n  -conf VALUE\n    \tfile (default 'Corefile')\n  -p VALUE\n    \tport\n  -quiet\n    \tsay nothing"
    )


def test_of_two_words_for_one_flag_the_last_one_counts() -> None:
    flags = {"dns.port": Flag("53", "port"), "p": Flag("", "the same", same_as="dns.port")}
    assert parse_flags(["-p", "1", "-dns.port", "2"], flags)[0]["dns.port"] == "2"
    assert parse_flags(["-dns.port", "2", "-p=1"], flags)[0]["dns.port"] == "1"

"""`clusterdns lint`: check Corefiles without serving them.

All problems of all files at once. Reads files and nothing else: no socket, no API, no engine.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

import click
import msgspec
from msgspec.structs import replace

from clusterdns.compiler import compile_plan
from clusterdns.control.machine import STDIN, machine_sources
from clusterdns.corefile.problems import Problem, Severity
from clusterdns.corefile.report import json_report, text_report
from clusterdns.corefile.syntax import parse_corefile
from clusterdns.sources import Sources, stand_in

CLEAN, PROBLEMS, UNREADABLE = 0, 1, 2


class Checked(msgspec.Struct, frozen=True):
    """What one file's check gave. `texts`: the files read, by path; without the file itself it could not be read."""

    path: str
    problems: tuple[Problem, ...]
    texts: Mapping[str, str]

    def exit_code(self, strict: bool) -> int:
        """What this file alone makes of the exit status."""
        if self.path not in self.texts:
            return UNREADABLE
        bad = bool(self.problems) if strict else any(problem.severity is Severity.ERROR for problem in self.problems)
        return PROBLEMS if bad else CLEAN


def check(path: str, sources: Sources, default_port: int) -> Checked:
    """All problems of one Corefile and what it imports."""
    parsed = parse_corefile(path, sources)
    return Checked(path, compile_plan(parsed, sources, default_port=default_port).problems, parsed.texts)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to report.")
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings too.")
@click.option("--default-port", type=click.IntRange(0, 65535), default=53, show_default=True, help="The port of keys without one.")
def command(files: Sequence[str], output: str, strict: bool, default_port: int) -> None:
    """Check Corefiles: all problems at once, and nothing is touched.

    FILE - is standard input. Exit status: 0 when there are no errors, 1 when there are, 2 when a file cannot be read.
    """
    sources = replace(machine_sources(), interfaces=_interfaces(), resolve=stand_in)
    checked = [check(STDIN if path == "-" else path, sources, default_port) for path in files]
    if output == "json":
        click.echo(json_report(problem for file in checked for problem in file.problems), nl=False)
    else:
        click.echo(_text(checked), nl=False)
    sys.exit(max(file.exit_code(strict) for file in checked))


def _interfaces() -> Mapping[str, Sequence[str]]:
    """The network interfaces, each with an address that stands for all it has: who only checks need not know them."""
    try:
        names = sorted(os.listdir("/sys/class/net"))
    except OSError:
        names = []
    return {name: (f"fe80::{number:x}",) for number, name in enumerate(names, start=1)}


def colours_wanted() -> bool:
    """Whether somebody looks at a terminal, and has not asked for plain text (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _text(checked: Sequence[Checked]) -> str:
    """The report for people; files without problems are told too."""
    colour = colours_wanted()
    reports = [
        text_report(file.problems, file.texts, colour=colour) if file.problems else f"{file.path}: no problems\n" for file in checked
    ]
    problems = [problem for file in checked for problem in file.problems]
    return "".join(reports) + (_summary(problems) if problems else "")


def _summary(problems: Sequence[Problem]) -> str:
    """How many there are of each kind."""
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    return f"{errors} error{'' if errors == 1 else 's'}, {warnings} warning{'' if warnings == 1 else 's'}\n"

"""`./dev bench`: CPU, latency and memory of clusterdns beside a UDP echo and its peers, and whether the budgets are kept.

A miss is a result, not a failure: the exit code tells only whether everything could be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cluster import Size, write_manifests
from bench.measure import Effort, Result, WrongAnswers, as_json, measure_row
from bench.perf import profile
from bench.processes import CLIENT_CORE, SERVER_CORE, Patience
from bench.report import report, surroundings, write_between_marks
from bench.rows import PACES, ROWS, START, Row, questions
from bench.start import Start, measure_start
from bench.subjects import subjects
from tools.console import ROOT, Failed, say

SIZES = (Size(1_000, 10_000), Size(10_000, 100_000))


def main(arguments: Sequence[str]) -> int:
    """Measure, print the table, write the files that were asked for."""
    options = parse(arguments)
    build()
    if SERVER_CORE == CLIENT_CORE:
        say("bench: there is one core only, so server and client disturb each other")
    load_before = os.getloadavg()[0]
    with workplace() as folder:
        try:
            if options.profile:
                print(profile_row(options, folder))
                return 0
            results = list(measure_answers(options, folder))
            starts = list(measure_starts(options, folder))
        except (Failed, WrongAnswers, subprocess.CalledProcessError) as why:
            say(f"bench: {why}")
            return 1
    text = report(results, starts, surroundings(load_before, options.rounds, options.seconds))
    print(text)
    if options.write:
        write_between_marks(options.write, text)
    if options.json:
        options.json.write_text(json.dumps(document(results, starts, load_before), indent=1) + "\n")
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; `--quick` gives others their least useful value."""
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all figures")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the marks of a Markdown page")
    parser.add_argument("--only", nargs="+", choices=[*names, START], metavar="ROW", help=f"of {', '.join([*names, START])}")
    parser.add_argument("--sizes", type=sizes, default=SIZES, metavar="1000x10000,...", help="Services x endpoints; the last one is asked")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: 3)")
    parser.add_argument("--seconds", type=float, default=1.0, help="for how long (default: 1)")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait, in all, for a machine that others use (default: 60)")
    parser.add_argument("--quick", action="store_true", help="one round of a third of a second, and the first size only")
    parser.add_argument("--profile", choices=names, metavar="ROW", help="show where the time of an answer goes, with perf")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.seconds, options.patience, options.sizes = 1, 0.3, 0.0, options.sizes[:1]
    return options


def sizes(text: str) -> tuple[Size, ...]:
    """`1000x10000,10000x100000` as sizes."""
    parsed = []
    for word in text.split(","):
        services, by, endpoints = word.partition("x")
        if not (by and services.isdecimal() and endpoints.isdecimal() and 0 < int(services) <= int(endpoints)):
            raise argparse.ArgumentTypeError(f"{word} is no size: Services x endpoints, at least one for each")
        parsed.append(Size(int(services), int(endpoints)))
    return tuple(parsed)


def build() -> None:
    """The echo and the load client, in release."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--package", "clusterdns-run"]
    if subprocess.call(command, cwd=ROOT):
        raise SystemExit(1)


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for configurations and logs."""
    with TemporaryDirectory(prefix="clusterdns-bench-") as name:
        yield Path(name)


def measure_answers(options: argparse.Namespace, folder: Path) -> Iterator[Result]:
    """Each kind of question at each pace, with the largest cluster."""
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    if not rows:
        return
    size = options.sizes[-1]
    effort = Effort(options.rounds, options.seconds, Patience(options.patience))
    with subjects(folder, manifests_of(size, folder), size) as running:
        for pace in PACES:
            for row in rows:
                yield from measure_row(row, pace, write_questions(row, size, folder), running, effort, say)


def measure_starts(options: argparse.Namespace, folder: Path) -> Iterator[Start]:
    """Starting, with each size of cluster."""
    if options.only and START not in options.only:
        return
    for size in options.sizes:
        start = measure_start(folder, manifests_of(size, folder), size, options.rounds)
        say(f"start with {size}: ready after {start.seconds:.2f} s, {start.cpu_seconds:.2f} s of CPU, {start.resident_mb:.0f} MB")
        yield start


def profile_row(options: argparse.Namespace, folder: Path) -> str:
    """The profile of one kind of question."""
    size = options.sizes[-1]
    row = next(row for row in ROWS if row.name == options.profile)
    with subjects(folder, manifests_of(size, folder), size) as running:
        product = next(subject for subject in running if subject.name == "clusterdns")
        return profile(product, row, write_questions(row, size, folder), max(options.seconds, 3.0))


def manifests_of(size: Size, folder: Path) -> Path:
    """The cluster's objects in a file, written once."""
    path = folder / f"{size.services}.json"
    if not path.exists():
        say(f"writing {size}")
        write_manifests(path, size)
    return path


def write_questions(row: Row, size: Size, folder: Path) -> Path:
    """A row's questions in a file."""
    path = folder / f"{row.name}.questions"
    path.write_text("\n".join(questions(row, size)) + "\n")
    return path


def document(results: Sequence[Result], starts: Sequence[Start], load_before: float) -> dict[str, object]:
    """Everything for the JSON file."""
    return {
        "kernel": os.uname().release,
        "cores": os.cpu_count(),
        "load_before": load_before,
        "answers": [as_json(result) for result in results],
        "starts": [start._asdict() | {"size": str(start.size), "pass": start.passes} for start in starts],
    }

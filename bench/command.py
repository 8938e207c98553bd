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
from typing import get_args

from bench.cluster import Size, write_manifests
from bench.idle import measure_idle
from bench.live import Live, measure_live
from bench.measure import Effort, WrongAnswers, load_of, measure_row
from bench.perf import profile
from bench.plane import api_server
from bench.processes import CLIENT_CORE, SERVER_CORE, Patience
from bench.quota import measure_quota
from bench.reload import measure_reload
from bench.report import Measured, report, surroundings, write_between_marks
from bench.rows import IDLE, LIVE, PACED, QUOTA, RELOAD, ROWS, SATURATED, START, Row, Setup, questions, row_named
from bench.start import Start, measure_start
from bench.subjects import Place, Subject, subjects
from tests.controlplane.binary import Unavailable
from tools.console import ROOT, Failed, say

OTHERS = (QUOTA, IDLE, RELOAD, START, LIVE)
CACHED = row_named("cached")
"""The questions of the rows that are about a cache in other circumstances."""
FILL_SECONDS = 1.0
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
            measured = measure(options, folder)
        except (Failed, WrongAnswers, subprocess.CalledProcessError) as why:
            say(f"bench: {why}")
            return 1
    text = report(measured, surroundings(load_before, options.rounds, options.seconds))
    print(text)
    if options.write:
        write_between_marks(options.write, text)
    if options.json:
        options.json.write_text(json.dumps(document(measured, load_before), indent=1) + "\n")
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; `--quick` gives others their least useful value."""
    names = [row.name for row in ROWS]
    all_names = [*names, *OTHERS]
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all figures")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the marks of a Markdown page")
    parser.add_argument("--only", nargs="+", choices=all_names, metavar="ROW", help=f"of {', '.join(all_names)}")
    parser.add_argument("--sizes", type=sizes, default=SIZES, metavar="1000x10000,...", help="Services x endpoints; the last one is asked")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: 3)")
    parser.add_argument("--seconds", type=float, default=1.0, help="for how long (default: 1)")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to wait, in all, for a machine that others use (default: 60)")
    parser.add_argument("--quick", action="store_true", help="one round of a third of a second, and the first size only")
    parser.add_argument("--profile", choices=names, metavar="ROW", help="show where the time of an answer goes, with perf, instead")
    parser.add_argument("--paced", action="store_true", help="of the profile: at 20,000 q/s rather than at saturation")
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


def measure(options: argparse.Namespace, folder: Path) -> Measured:
    """Everything, or what was asked for, setup by setup."""
    measured = Measured()
    size = options.sizes[-1]
    for setup in get_args(Setup):
        rows = [row for row in ROWS if row.setup == setup and wanted(row.name, options)]
        if rows or (setup == CACHED.setup and any(wanted(name, options) for name in (QUOTA, IDLE, RELOAD))):
            manifests = manifests_of(size, folder) if setup == "cluster" else folder
            measured = measure_setup(options, setup, rows, Place(folder, manifests, size), measured)
    if wanted(START, options):
        measured = measured._replace(starts=list(measure_starts(options, folder)))
    if wanted(LIVE, options):
        try:
            measured = measured._replace(live=list(measure_following(options, folder)))
        except Unavailable as why:
            say(f"bench: nothing is measured from an API server: {why}")
            measured = measured._replace(missing=[f"following an API server; {why}"])
    return measured


def measure_setup(options: argparse.Namespace, setup: Setup, rows: Sequence[Row], place: Place, measured: Measured) -> Measured:
    """What is measured with one set of servers, behind what was measured before."""
    effort = Effort(options.rounds, options.seconds, Patience(options.patience))
    with subjects(setup, place) as running:
        if setup == CACHED.setup:
            # First: later there are other names in the caches too.
            fill(CACHED, write_questions(CACHED, place), running)
            if wanted(IDLE, options):
                measured = measured._replace(idle=list(measure_idle(running)))
        for row in rows:
            asked = write_questions(row, place)
            if not row.new_names:
                fill(row, asked, running)
            for pace in row.paces:
                measured = measured._replace(answers=[*measured.answers, *measure_row(row, pace, asked, running, effort, say)])
        if setup == CACHED.setup:
            asked = write_questions(CACHED, place)
            fill(CACHED, asked, running)
            if wanted(QUOTA, options):
                measured = measured._replace(throttled=list(measure_quota(CACHED, asked, running, options.rounds, options.seconds, say)))
            if wanted(RELOAD, options):
                measured = measured._replace(reloaded=list(measure_reload(CACHED, asked, running, place)))
    return measured


def fill(row: Row, asked: Path, running: Sequence[Subject]) -> None:
    """Ask everything a few times before it counts, so that caches have what they can have."""
    for subject in running:
        load_of(subject, row, PACED, asked, FILL_SECONDS)


def measure_starts(options: argparse.Namespace, folder: Path) -> Iterator[Start]:
    """Starting, with each size of cluster."""
    for size in options.sizes:
        start = measure_start(Place(folder, manifests_of(size, folder), size), options.rounds)
        say(f"start with {size}: ready after {start.seconds:.2f} s, {start.cpu_seconds:.2f} s of CPU, {start.resident_mb:.0f} MB")
        yield start


def measure_following(options: argparse.Namespace, folder: Path) -> Iterator[Live]:
    """Following an API server, with each size of cluster."""
    with api_server(folder / "plane") as plane:
        for figure in measure_live(plane, folder, options.sizes, options.rounds, say):
            say(f"{figure.title}, {figure.size}: {figure.value:.3g} {figure.unit}")
            yield figure


def wanted(name: str, options: argparse.Namespace) -> bool:
    """Whether this is to be measured."""
    return not options.only or name in options.only


def profile_row(options: argparse.Namespace, folder: Path) -> str:
    """The profiles of the echo and of the product with one kind of question, one after the other."""
    row = row_named(options.profile)
    place = Place(folder, manifests_of(options.sizes[-1], folder) if row.setup == "cluster" else folder, options.sizes[-1])
    pace, seconds = PACED if options.paced else SATURATED, max(options.seconds, 3.0)
    with subjects(row.setup, place) as running:
        asked = write_questions(row, place)
        yardstick, product = running[:2]
        fill(row, asked, [yardstick, product])
        return "\n".join(profile(subject, row, pace, asked, seconds) for subject in (yardstick, product))


def manifests_of(size: Size, folder: Path) -> Path:
    """The cluster's objects in a file, written once."""
    path = folder / f"{size.services}.json"
    if not path.exists():
        say(f"writing {size}")
        write_manifests(path, size)
    return path


def write_questions(row: Row, place: Place) -> Path:
    """A row's questions in a file."""
    path = place.folder / f"{row.name}.questions"
    path.write_text("\n".join(questions(row, place.size)) + "\n")
    return path


def document(measured: Measured, load_before: float) -> dict[str, object]:
    """Everything for the JSON file."""
    surroundings = {"kernel": os.uname().release, "cores": os.cpu_count(), "load_before": load_before}
    return surroundings | measured.as_json()

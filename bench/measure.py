"""One measurement: a load on a server, and what the server spent on it. Rounds are interleaved, because absolute figures drift."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec

from bench.processes import CLIENT_CORE, Patience, Process, Spent, memory, run_pinned, spent
from bench.rows import Pace, Row
from bench.subjects import PROGRAMS, Subject

DISTURBED = 0.03
"""Share of the time for which somebody else had the server's or the client's core, from which on a measurement is taken again."""


class Load(msgspec.Struct, frozen=True):
    """What the load client saw (`dns-load --json`). `waited`: seconds for which it could not run."""

    answered: int
    lost: int
    wrong: int
    seconds: float
    per_second: float
    octets: int
    waited: float
    rcodes: dict[str, int]
    latency_us: dict[str, float]


class Figures(NamedTuple):
    """A measurement: CPU of the server for each answer, the share of time in which it was busy or disturbed, and the client's view."""

    cpu_us: float
    busy: float
    disturbed: float
    load: Load


class Result(NamedTuple):
    """The median of a subject's rounds. `ratio` is the median of the ratios to the echo of the same round.

    `beside`: the same with the server that the row's budget is about; none where that is not here.
    """

    row: Row
    pace: Pace
    subject: str
    cpu_us: float
    ratio: float
    ratios: tuple[float, ...]
    beside: float | None
    per_second: float
    busy: float
    disturbed: float
    lost: int
    latency_us: dict[str, float]
    octets: int
    resident_mb: float

    @property
    def budget(self) -> float | None:
        """How many times the row's yardstick it may cost; only we have a budget."""
        return self.row.budget.get(self.pace.name) if self.subject == "clusterdns" else None

    @property
    def passes(self) -> bool | None:
        """Whether it keeps its budget."""
        return None if self.budget is None or self.beside is None else self.beside <= self.budget


class Effort(NamedTuple):
    """How much is measured: rounds, seconds of each measurement, and how long to wait for a calm machine."""

    rounds: int
    seconds: float
    patience: Patience


def measure_row(
    row: Row, pace: Pace, questions: Path, running: Sequence[Subject], effort: Effort, say: Callable[[str], None]
) -> Iterator[Result]:
    """All subjects with one kind of question: the echo, then the others, and again."""
    taken: dict[str, list[Figures]] = {subject.name: [] for subject in running}
    for number in range(effort.rounds):
        for subject in running:
            taken[subject.name].append(_undisturbed(subject, row, pace, questions, effort))
        costs = ", ".join(f"{name} {figures[-1].cpu_us:.2f} us" for name, figures in taken.items())
        say(f"{row.name}, {pace.name}, round {number + 1} of {effort.rounds}: {costs}")
    for subject in running:
        figures = taken[subject.name]
        ratios = _ratios(figures, taken["echo"])
        yield Result(
            row,
            pace,
            subject.name,
            cpu_us=median(one.cpu_us for one in figures),
            ratio=median(ratios),
            ratios=tuple(ratios),
            beside=median(_ratios(figures, taken[row.beside])) if row.beside in taken else None,
            per_second=median(one.load.per_second for one in figures),
            busy=median(one.busy for one in figures),
            disturbed=median(one.disturbed for one in figures),
            lost=sum(one.load.lost for one in figures),
            latency_us={name: median(one.load.latency_us[name] for one in figures) for name in figures[0].load.latency_us},
            octets=figures[0].load.octets,
            resident_mb=memory(subject.process.pid)[0],
        )


def _ratios(figures: Sequence[Figures], base: Sequence[Figures]) -> list[float]:
    """Round by round, because absolute figures drift."""
    return [one.cpu_us / other.cpu_us for one, other in zip(figures, base, strict=True)]


def _undisturbed(subject: Subject, row: Row, pace: Pace, questions: Path, effort: Effort) -> Figures:
    """The first measurement during which nobody else needed the cores; where the patience ends before, the least disturbed one."""
    tried = [_measure(subject, row, pace, questions, effort.seconds)]
    while tried[-1].disturbed > DISTURBED and effort.patience.wait_for_calm():
        tried.append(_measure(subject, row, pace, questions, effort.seconds))
    return min(tried, key=lambda figures: figures.disturbed)


def _measure(subject: Subject, row: Row, pace: Pace, questions: Path, seconds: float) -> Figures:
    before, started = spent(subject.process.pid), time.monotonic()
    load = load_of(subject, row, pace, questions, seconds)
    elapsed, used = time.monotonic() - started, spent(subject.process.pid).since(before)
    return figures_of(used, elapsed, load)


def ask_for(subject: Subject, row: Row, pace: Pace, questions: Path, seconds: float) -> Load:
    """Ask for so long, whatever comes back."""
    return msgspec.json.decode(run_pinned(CLIENT_CORE, load_command(subject, row, pace, questions, seconds)), type=Load)


def load_of(subject: Subject, row: Row, pace: Pace, questions: Path, seconds: float) -> Load:
    """Ask for so long. Raises `WrongAnswers`."""
    load = ask_for(subject, row, pace, questions, seconds)
    if not subject.echo:
        require_answers(subject, row, load)
    return load


def load_counted(client: Process) -> Load:
    """What a client that was started has seen, at its end. Raises `CalledProcessError`."""
    said, _ = client.communicate()
    if client.returncode:
        raise subprocess.CalledProcessError(client.returncode, client.args)
    return msgspec.json.decode(said, type=Load)


def wrong_answers(row: Row, load: Load) -> int:
    """How many answers had another response code than the row's, or none that belongs to a question."""
    return load.wrong + load.answered - load.rcodes.get(str(row.rcode), 0)


def figures_of(used: Spent, elapsed: float, load: Load) -> Figures:
    """What a load cost. Either side being kept from its core is a disturbance."""
    disturbed = max(used.waiting / max(used.running, 1e-9), load.waited / elapsed)
    return Figures(used.running * 1e6 / max(load.answered, 1), used.running / elapsed, disturbed, load)


def load_command(subject: Subject, row: Row, pace: Pace, questions: Path, seconds: float) -> list[str | Path]:
    """How the client is started."""
    speed = ["--rate", str(pace.rate)] if pace.rate else ["--saturate"]
    edns = ["--edns", str(row.edns)] if row.edns else []
    echo = ["--echo"] if subject.echo else []
    return [PROGRAMS / "dns-load", subject.address, "--questions", questions, "--seconds", str(seconds), *speed, *edns, *echo, "--json"]


def require_answers(subject: Subject, row: Row, load: Load) -> None:
    """A fast wrong answer is none."""
    expected = {str(row.rcode): load.answered}
    if load.rcodes != expected or load.wrong:
        raise WrongAnswers(f"{subject.name}, {row.name}: response codes {load.rcodes}, {load.wrong} wrong; expected {expected}")


class WrongAnswers(Exception):
    """A subject does not answer as it should, so there is nothing to compare."""


def as_json(result: Result) -> dict[str, Any]:
    """A result as the JSON file has it."""
    row, pace, *_ = result
    own = result._asdict() | {"row": row.name, "pace": pace.name}
    return own | {"budget": result.budget, "pass": result.passes, "recorded_ratio": row.recorded.get(pace.name)}

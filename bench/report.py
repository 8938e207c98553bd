"""The results as tables in Markdown, and in the page that shows them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.idle import SECONDS, Idle
from bench.live import Live
from bench.measure import DISTURBED, Result, as_json
from bench.quota import Throttled
from bench.reload import EVERY_SECONDS, Reloaded
from bench.rows import CACHE_RESIDENT_MB, CACHED_NAMES, QUOTA_CPUS, QUOTA_SHARE, START_CPU_SECONDS, START_RESIDENT_MB
from bench.start import Start
from tools.console import Failed

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
HEAD = 2
"""Lines of a table that has no rows."""
VERDICT = {True: "pass", False: "**miss**", None: ""}


class Measured(NamedTuple):
    """All that was measured; `missing` says what was not, and why."""

    answers: Sequence[Result] = ()
    throttled: Sequence[Throttled] = ()
    idle: Sequence[Idle] = ()
    reloaded: Sequence[Reloaded] = ()
    starts: Sequence[Start] = ()
    live: Sequence[Live] = ()
    missing: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """As the JSON file has it."""
        rest = {name: [one._asdict() | {"pass": one.passes} for one in getattr(self, name)] for name in self._fields[1:-1]}
        for start in rest["starts"]:
            start["size"] = str(start["size"])
        return {"answers": [as_json(result) for result in self.answers], **rest, "missing": list(self.missing)}


def report(measured: Measured, surroundings: str) -> str:
    """Everything, ready to be read."""
    tables = (
        answer_table(measured.answers),
        quota_table(measured.throttled),
        idle_table(measured.idle),
        reload_table(measured.reloaded),
        start_table(measured.starts),
        live_table(measured.live),
    )
    lines = (list(table) for table in tables)
    missing = [f"Not measured: {what}" for what in measured.missing]
    return "\n\n".join([surroundings, *missing, *("\n".join(table) for table in lines if len(table) > HEAD)]) + "\n"


def answer_table(results: Sequence[Result]) -> Iterable[str]:
    """CPU for each answer, beside what the echo needs for the same questions."""
    yield "| question | pace | server | CPU per answer | / echo | budget | | answers/s | p50 / p99 / p99.9 µs | lost | RSS MB |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    here = {result.subject for result in results}
    for result in results:
        row, pace = result.row, result.pace
        unit = "" if row.beside == "echo" else f" of {row.beside}"
        budget = f"≤ {result.budget}{unit}" if result.budget else ""
        verdict = VERDICT[result.passes]
        if result.budget and unit and result.beside is not None:
            verdict = f"{verdict} ({result.beside:.2f})"
        latency = " / ".join(f"{result.latency_us[share]:.0f}" for share in ("p50", "p99", "p99.9"))
        disturbed = " (disturbed)" if result.disturbed > DISTURBED else ""
        yield (
            f"| {row.title} | {pace.name} | {result.subject} | {result.cpu_us:.2f} µs{disturbed} | {result.ratio:.2f} | {budget} "
            f"| {verdict} | {result.per_second:,.0f} | {latency} | {result.lost} | {result.resident_mb:.0f} |"
        )
        if result.subject == "clusterdns" and pace.name in row.recorded:
            name, ratio = row.recorded[pace.name]
            if name.lower() not in here:
                yield f"| {row.title} | {pace.name} | {name} (recorded) | | {ratio:.1f} | | | | | | |"


def quota_table(results: Sequence[Throttled]) -> Iterable[str]:
    """Answers within a small share of a CPU."""
    yield f"| cached answers within {QUOTA_CPUS * 1000:.0f}m of a CPU | answers/s | / echo | budget | |"
    yield "| --- | --- | --- | --- | --- |"
    for result in results:
        budget = "" if result.passes is None else f"≥ {QUOTA_SHARE}"
        yield f"| {result.subject} | {result.per_second:,.0f} | {result.share:.2f} | {budget} | {VERDICT[result.passes]} |"


def idle_table(results: Sequence[Idle]) -> Iterable[str]:
    """Having nothing to do."""
    yield f"| idle for {SECONDS:.0f} s, {CACHED_NAMES:,} names cached | CPU in a second | RSS MB | peak | budget | |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for result in results:
        budget = "" if result.passes is None else f"≤ {CACHE_RESIDENT_MB} MB"
        figures = f"{result.cpu_us:.0f} µs | {result.resident_mb:.1f} | {result.peak_mb:.1f}"
        yield f"| {result.subject} | {figures} | {budget} | {VERDICT[result.passes]} |"


def reload_table(results: Sequence[Reloaded]) -> Iterable[str]:
    """Changes of configuration under load."""
    yield f"| a change each {EVERY_SECONDS} s at 20,000 q/s | changes | answered | lost | wrong | p99.9 µs | slowest | budget | |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for result in results:
        budget = "" if result.passes is None else "0 lost"
        counts = f"{result.times} | {result.answered:,} | {result.lost} | {result.wrong} | {result.p999_us:.0f} | {result.peak_us:.0f} µs"
        yield f"| {result.subject} | {counts} | {budget} | {VERDICT[result.passes]} |"


def start_table(starts: Sequence[Start]) -> Iterable[str]:
    """From the start of the process to its first right answer."""
    yield "| clusterdns starts with | ready after | CPU until then | RSS | peak | budget | |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for start in starts:
        budget = "" if start.passes is None else f"≤ {START_CPU_SECONDS} s CPU, ≤ {START_RESIDENT_MB} MB"
        yield (
            f"| {start.size} | {start.seconds:.2f} s | {start.cpu_seconds:.2f} s | {start.resident_mb:.0f} MB | {start.peak_mb:.0f} MB "
            f"| {budget} | {VERDICT[start.passes]} |"
        )


def live_table(figures: Sequence[Live]) -> Iterable[str]:
    """Following a real API server."""
    yield "| clusterdns follows an API server | with | measured | budget | | |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for figure in figures:
        budget = "" if figure.budget is None else f"≤ {figure.budget:.4g} {figure.unit}"
        measured = f"{figure.value:.3g} {figure.unit}"
        yield f"| {figure.title} | {figure.size} | {measured} | {budget} | {VERDICT[figure.passes]} | {figure.note} |"


def surroundings(load_before: float, rounds: int, seconds: float) -> str:
    """What one must know to compare: the kernel, the cores, how busy the machine was with other things."""
    busy = f"load {load_before:.1f} before"
    return f"Linux {os.uname().release}, {os.uname().machine}, {os.cpu_count()} cores, {busy}; median of {rounds} rounds of {seconds:g} s."


def write_between_marks(page: Path, text: str) -> None:
    """Put the results in the place of those that a page shows."""
    old = page.read_text()
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Failed(f"{page} has no place for results: a line {BEGIN} and a line {END}")
    page.write_text(f"{before}{BEGIN}\n{text}{END}{after}")

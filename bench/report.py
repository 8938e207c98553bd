"""The results as a table in Markdown, and in the page that shows it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.measure import DISTURBED, Result
from bench.rows import START_CPU_SECONDS, START_RESIDENT_MB
from bench.start import Start
from tools.console import Failed

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
VERDICT = {True: "pass", False: "**miss**", None: ""}


def report(results: Sequence[Result], starts: Sequence[Start], surroundings: str) -> str:
    """Everything, ready to be read."""
    parts = [surroundings]
    if results:
        parts += ["\n".join(answer_table(results))]
    if starts:
        parts += ["\n".join(start_table(starts))]
    return "\n\n".join(parts) + "\n"


def answer_table(results: Sequence[Result]) -> Iterable[str]:
    """CPU for each answer, beside what the echo needs for the same questions."""
    yield "| question | pace | server | CPU per answer | / echo | budget | | answers/s | p50 / p99 / p99.9 µs | lost | RSS MB |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for result in results:
        row, pace = result.row, result.pace
        budget = f"≤ {result.budget}" if result.budget else ""
        latency = " / ".join(f"{result.latency_us[share]:.0f}" for share in ("p50", "p99", "p99.9"))
        disturbed = " (disturbed)" if result.disturbed > DISTURBED else ""
        yield (
            f"| {row.title} | {pace.name} | {result.subject} | {result.cpu_us:.2f} µs{disturbed} | {result.ratio:.2f} | {budget} "
            f"| {VERDICT[result.passes]} | {result.per_second:,.0f} | {latency} | {result.lost} | {result.resident_mb:.0f} |"
        )
        if result.subject == "clusterdns" and (recorded := row.coredns.get(pace.name)):
            yield f"| {row.title} | {pace.name} | CoreDNS (recorded) | | {recorded:.1f} | | | | | | |"


def start_table(starts: Iterable[Start]) -> Iterable[str]:
    """From the start of the process to its first right answer."""
    yield "| clusterdns starts with | ready after | CPU until then | RSS | peak | budget | |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for start in starts:
        budget = "" if start.passes is None else f"≤ {START_CPU_SECONDS} s CPU, ≤ {START_RESIDENT_MB} MB"
        yield (
            f"| {start.size} | {start.seconds:.2f} s | {start.cpu_seconds:.2f} s | {start.resident_mb:.0f} MB | {start.peak_mb:.0f} MB "
            f"| {budget} | {VERDICT[start.passes]} |"
        )


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

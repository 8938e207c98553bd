"""Where the time of an answer goes: perf on a server while it answers one kind of question."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.measure import ask_for
from bench.processes import spent
from bench.rows import Pace, Row
from bench.subjects import Subject
from tools.console import ROOT, Failed

FREQUENCY = "4999"
RECORDING = ROOT / "target/bench.perf"


def profile(subject: Subject, row: Row, pace: Pace, questions: Path, seconds: float) -> str:
    """What an answer cost, which programs and libraries ran for it, and the functions that took most of the time.

    The recording stays, for `perf report -i` and for flame graphs. Raises `Failed` where there is no perf, or it may not record.
    """
    perf = shutil.which("perf")
    if perf is None:
        raise Failed("perf is not installed (Debian: linux-perf), so there is no profile")
    process = subject.process.pid
    record: Sequence[str | Path] = [perf, "record", "-g", "-F", FREQUENCY, "-p", str(process), "-o", RECORDING, "--", "sleep", str(seconds)]
    with subprocess.Popen(record, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as recorder:
        before = spent(process)
        load = ask_for(subject, row, pace, questions, seconds + 0.5)
        used = spent(process).since(before)
        _, said = recorder.communicate()
    if recorder.returncode:
        raise Failed(f"perf does not work here: {said.strip().splitlines()[-1] if said.strip() else 'it does not say why'}")
    parts = ", ".join(" ".join(line.split()) for line in _listed(perf, "dso", "1"))
    title = f"{subject.name}, {row.title}, {pace.name}: {used.running * 1e6 / load.answered:.2f} µs an answer; {parts}"
    return "\n".join([title, *_listed(perf, "comm,dso,symbol", "0.5"), ""])


def _listed(perf: str, by: str, least: str) -> list[str]:
    """Shares of the recorded time that are at least so many percent, the greatest first."""
    command: Sequence[str | Path] = [
        perf,
        "report",
        "-i",
        RECORDING,
        "--no-children",
        "-g",
        "none",
        "--percent-limit",
        least,
        "--sort",
        by,
        "--stdio",
    ]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.rstrip() for line in listed.splitlines() if line.strip() and not line.startswith("#")]

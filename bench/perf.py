"""Where the time of an answer goes: perf on clusterdns while it answers one kind of question at saturation."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.measure import load_command
from bench.processes import CLIENT_CORE, run_pinned
from bench.rows import SATURATED, Row
from bench.subjects import Subject
from tools.console import ROOT, Failed

FREQUENCY = "4999"
RECORDING = ROOT / "target/bench.perf"


def profile(subject: Subject, row: Row, questions: Path, seconds: float) -> str:
    """The functions that took most of the time. The recording stays, for `perf report -i` and for flame graphs."""
    perf = shutil.which("perf")
    if perf is None:
        raise Failed("perf is not installed (Debian: linux-perf), so there is no profile")
    process = str(subject.process.pid)
    record: Sequence[str | Path] = [perf, "record", "-g", "-F", FREQUENCY, "-p", process, "-o", RECORDING, "--", "sleep", str(seconds)]
    with subprocess.Popen(record, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as recorder:
        run_pinned(CLIENT_CORE, load_command(subject, row, SATURATED, questions, seconds + 0.5))
        _, said = recorder.communicate()
    if recorder.returncode:
        raise Failed(f"perf does not work here: {said.strip().splitlines()[-1] if said.strip() else 'it does not say why'}")
    command: Sequence[str | Path] = [perf, "report", "-i", RECORDING, "--no-children", "-g", "none", "--percent-limit", "0.5", "--stdio"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line.rstrip() for line in listed.splitlines() if line.strip() and not line.startswith("#")]
    return "\n".join([f"{row.title} at saturation ({RECORDING.relative_to(ROOT)}):", *lines, ""])

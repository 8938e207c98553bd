"""Whether a change of configuration costs queries: the client counts, while the Corefile is changed again and again."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.measure import load_command, load_counted, wrong_answers
from bench.processes import CLIENT_CORE, start_pinned
from bench.rows import PACED, Row
from bench.subjects import Place, Subject

EVERY_SECONDS = 0.5
TIMES = 8
ANOTHER_BLOCK = "changed.example.org:{port} {{\n    bind 127.0.0.1\n    whoami\n}}\n"


class Reloaded(NamedTuple):
    """What the client saw during `times` changes. `peak_us`: the slowest answer."""

    subject: str
    times: int
    answered: int
    lost: int
    wrong: int
    p999_us: float
    peak_us: float

    @property
    def passes(self) -> bool | None:
        """Whether nothing was lost; only we have a budget."""
        return self.lost + self.wrong == 0 if self.subject == "clusterdns" else None


def measure_reload(row: Row, questions: Path, running: Sequence[Subject], place: Place) -> Iterator[Reloaded]:
    """Those that read a Corefile, one after the other; each change adds or takes away a server block."""
    for subject in running:
        corefile = place.folder / f"{subject.name}-{row.setup}.Corefile"
        if subject.name in ("clusterdns", "coredns"):
            yield _reload_under_load(subject, row, questions, corefile)


def _reload_under_load(subject: Subject, row: Row, questions: Path, corefile: Path) -> Reloaded:
    text = corefile.read_text()
    other = ANOTHER_BLOCK.format(port=subject.port)
    with start_pinned(CLIENT_CORE, load_command(subject, row, PACED, questions, EVERY_SECONDS * (TIMES + 1))) as client:
        for number in range(TIMES):
            time.sleep(EVERY_SECONDS)
            corefile.write_text(text if number % 2 else text + other)
            subject.process.send_signal(signal.SIGUSR1)
        load = load_counted(client)
    # A name of the other block is none of the questions', so every answer is as before.
    wrong = wrong_answers(row, load)
    return Reloaded(subject.name, TIMES, load.answered, load.lost, wrong, load.latency_us["p99.9"], load.latency_us["max"])

"""Figures and verdicts of the bench."""

import json
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from bench.cluster import Size
from bench.command import document, parse, sizes
from bench.measure import Load, Result, figures_of
from bench.processes import Spent
from bench.report import BEGIN, END, report, write_between_marks
from bench.rows import PACED, ROWS, SATURATED
from bench.start import Start
from tools.console import Failed

DISTURBANCES = [(Spent(0.5, 0.1), 0.0, 0.2), (Spent(0.5, 0.0), 0.25, 0.25), (Spent(0.0, 0.0), 0.0, 0.0)]
LATENCY = {"p50": 100.0, "p90": 200.0, "p99": 300.0, "p99.9": 400.0, "max": 500.0}


def load(waited: float = 0.0) -> Load:
    """What a client saw in a second."""
    return Load(100_000, 0, 0, 1.0, 100_000.0, 114, waited, {"0": 100_000}, LATENCY)


def result(ratio: float, subject: str = "clusterdns", disturbed: float = 0.0) -> Result:
    """A result for ClusterIP A at saturation."""
    return Result(ROWS[0], SATURATED, subject, 2.0, ratio, (ratio,), 450_000.0, 0.99, disturbed, 0, LATENCY, 114, 57.0)


def test_cpu_per_answer_is_the_servers_time_over_the_answers() -> None:
    figures = figures_of(Spent(0.25, 0.0), 1.25, load())
    assert (figures.cpu_us, figures.busy, figures.disturbed) == (2.5, 0.2, 0.0)


@pytest.mark.parametrize(
    ("used", "waited", "share"), [(Spent(0.5, 0.1), 0.0, 0.2), (Spent(0.5, 0.0), 0.25, 0.25), (Spent(0.0, 0.0), 0.0, 0.0)]
)
def test_either_side_that_has_to_wait_is_a_disturbance(used: Spent, waited: float, share: float) -> None:
    assert figures_of(used, 1.0, load(waited)).disturbed == share


@pytest.mark.parametrize(("ratio", "verdict"), [(1.4, "pass"), (1.41, "**miss**")])
def test_the_table_says_whether_a_budget_is_kept(ratio: float, verdict: str) -> None:
    table = report([result(ratio)], [], "here")
    assert f"| ≤ 1.4 | {verdict} |" in table
    assert "| CoreDNS (recorded) | | 5.8 |" in table


def test_only_we_have_a_budget() -> None:
    table = report([result(9.9, subject="unbound")], [], "here")
    assert "≤" not in table
    assert "CoreDNS" not in table


def test_a_disturbed_figure_is_marked() -> None:
    assert "µs (disturbed)" in report([result(1.2, disturbed=0.1)], [], "here")
    assert "(disturbed)" not in report([result(1.2)], [], "here")


@pytest.mark.parametrize(
    ("start", "verdict"),
    [
        (Start(Size(10_000, 100_000), 2.0, 1.0, 90.0, 100.0), True),
        (Start(Size(10_000, 100_000), 2.0, 1.5, 90.0, 100.0), False),
        (Start(Size(10_000, 100_000), 2.0, 1.0, 111.0, 120.0), False),
        (Start(Size(1_000, 10_000), 2.0, 9.0, 200.0, 200.0), None),
    ],
)
def test_a_start_has_a_budget_at_one_size(start: Start, verdict: bool | None) -> None:
    assert start.passes is verdict
    assert ("budget" in report([], [start], "") and "≤" in report([], [start], "")) == (verdict is not None)


def test_the_json_file_has_all_figures() -> None:
    start = Start(Size(10_000, 100_000), 2.0, 1.0, 90.0, 100.0)
    kept = json.loads(json.dumps(document([result(1.3)], [start], 0.5)))
    answer = kept["answers"][0]
    assert (answer["row"], answer["pace"], answer["ratio"], answer["budget"], answer["pass"]) == (
        "cluster-ip",
        "saturation",
        1.3,
        1.4,
        True,
    )
    assert answer["coredns_recorded_ratio"] == pytest.approx(5.78, abs=0.01)
    assert answer["latency_us"] == LATENCY
    assert kept["starts"][0]["pass"] is True


def test_results_take_the_place_of_the_old_ones(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_between_marks(page, "new\n")
    assert page.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(Failed, match="no place for results"):
        write_between_marks(page, "new\n")


def test_sizes_are_read() -> None:
    assert sizes("1000x10000,5x50") == (Size(1000, 10000), Size(5, 50))
    for wrong in ("1000", "x", "10x5", "0x0", "1000x10000,"):
        with pytest.raises(ArgumentTypeError):
            sizes(wrong)


def test_quick_is_quick() -> None:
    options = parse(["--quick"])
    assert (options.rounds, options.seconds, options.patience, options.sizes) == (1, 0.3, 0.0, (Size(1_000, 10_000),))
    assert PACED.rate == 20_000


def test_every_row_has_a_budget_at_every_pace() -> None:
    assert all(set(row.budget) == {SATURATED.name, PACED.name} for row in ROWS)

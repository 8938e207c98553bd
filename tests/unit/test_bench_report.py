"""Figures and verdicts of the bench."""

import json
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from bench.cluster import Size
from bench.command import document, parse, sizes
from bench.idle import Idle
from bench.live import Live
from bench.measure import Load, Result, figures_of
from bench.processes import Spent
from bench.quota import Throttled
from bench.reload import Reloaded
from bench.report import BEGIN, END, Measured, report, write_between_marks
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
    return Result(ROWS[0], SATURATED, subject, 2.0, ratio, (ratio,), ratio, 450_000.0, 0.99, disturbed, 0, LATENCY, 114, 57.0)


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
    table = report(Measured([result(ratio)]), "here")
    assert f"| ≤ 1.4 | {verdict} |" in table
    assert "| CoreDNS (recorded) | | 5.8 |" in table


def test_only_we_have_a_budget() -> None:
    table = report(Measured([result(9.9, subject="unbound")]), "here")
    assert "≤" not in table
    assert "CoreDNS" not in table


def test_a_disturbed_figure_is_marked() -> None:
    assert "µs (disturbed)" in report(Measured([result(1.2, disturbed=0.1)]), "here")
    assert "(disturbed)" not in report(Measured([result(1.2)]), "here")


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
    assert ("≤" in report(Measured(starts=[start]), "")) == (verdict is not None)


def test_the_json_file_has_all_figures() -> None:
    start = Start(Size(10_000, 100_000), 2.0, 1.0, 90.0, 100.0)
    kept = json.loads(json.dumps(document(Measured([result(1.3)], starts=[start]), 0.5)))
    answer = kept["answers"][0]
    assert (answer["row"], answer["pace"], answer["ratio"], answer["budget"], answer["pass"]) == (
        "cluster-ip",
        "saturation",
        1.3,
        1.4,
        True,
    )
    assert answer["recorded_ratio"] == ["CoreDNS", pytest.approx(5.78, abs=0.01)]
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


def test_every_row_has_a_budget_at_full_speed_and_at_a_pace() -> None:
    assert all({SATURATED.name, PACED.name} & {pace.name for pace in row.paces} == set(row.budget) for row in ROWS)


def test_a_miss_is_beside_unbound_and_has_no_verdict_where_that_is_not_here() -> None:
    miss = next(row for row in ROWS if row.name == "miss-udp")
    for beside, verdict in [(0.9, "≤ 1.0 of unbound | pass (0.90) |"), (1.1, "| **miss** (1.10) |"), (None, "|  | 450,000 |")]:
        assert verdict in report(Measured([result(9.0)._replace(row=miss, beside=beside)]), "here")


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (Measured(throttled=[Throttled("clusterdns", 9000.0, 0.75)]), "| ≥ 0.75 | pass |"),
        (Measured(throttled=[Throttled("clusterdns", 9000.0, 0.74)]), "**miss**"),
        (Measured(throttled=[Throttled("unbound", 9000.0, 0.1)]), "| 0.10 |  |  |"),
        (Measured(live=[Live("start: CPU", "some", 1.35, "s", 1.35, "note")]), "| start: CPU | some | 1.35 s | ≤ 1.35 s | pass | note |"),
        (Measured(live=[Live("start: CPU", "some", 1.36, "s", 1.35)]), "**miss**"),
        (Measured(live=[Live("start: ready", "some", 1.36, "s")]), "| 1.36 s |  |  |  |"),
        (Measured(missing=["following an API server; no Go"]), "Not measured: following an API server; no Go"),
        (Measured(idle=[Idle("clusterdns", 100.0, 30.0, 40.0)]), "| ≤ 30 MB | pass |"),
        (Measured(idle=[Idle("clusterdns", 100.0, 30.1, 40.0)]), "**miss**"),
        (Measured(reloaded=[Reloaded("clusterdns", 8, 90_000, 0, 0, 1.0, 2.0)]), "| 0 lost | pass |"),
        (Measured(reloaded=[Reloaded("clusterdns", 8, 90_000, 1, 0, 1.0, 2.0)]), "**miss**"),
        (Measured(reloaded=[Reloaded("clusterdns", 8, 90_000, 0, 1, 1.0, 2.0)]), "**miss**"),
    ],
)
def test_other_circumstances_have_budgets_too(measured: Measured, verdict: str) -> None:
    assert verdict in report(measured, "")

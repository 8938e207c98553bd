"""The plan as a document: what is written is read again, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from clusterdns.plan import VERSION, Block, Plan, decode_plan, encode_plan
from clusterdns.plan.listeners import Listener, Span
from clusterdns.plan.ops import Origin, ShuffleOp, Soa, WhoamiOp, ZoneOp
from tools.console import ROOT

PLAN = Plan(
    version=VERSION,
    listeners=[Listener("127.0.0.1:53", "127.0.0.1", 53, "dns://127.0.0.1:53")],
    zones=["one"],
    blocks=[
        Block(
            ".",
            ["127.0.0.1:53"],
            [
                ShuffleOp(["10.0.0.0/8"], {"a.test.": {"10.0.0.1": 3}}, 1),
                ZoneOp(
                    "one",
                    [Origin("a.test."), Origin("in-addr.arpa.", True)],
                    0,
                    Soa("ns", "m", 1, 2, 3, 4, 5),
                    ["."],
                    [""],
                    True,
                    True,
                    "k",
                    2,
                ),
                WhoamiOp(3),
            ],
            0,
        )
    ],
    spans=[Span("Corefile", number, 1, "words") for number in range(1, 5)],
)


def test_what_is_written_is_read_again() -> None:
    assert decode_plan(encode_plan(PLAN)) == PLAN


def test_an_op_says_its_name_in_the_corefiles_or_dnss_word() -> None:
    (block,) = json.loads(encode_plan(PLAN))["blocks"]
    assert [op["op"] for op in block["program"]] == ["shuffle", "zone", "whoami"]


@pytest.mark.parametrize("path", sorted((ROOT / "tests/plans").glob("*.json")), ids=lambda path: path.stem)
def test_the_golden_files_are_plans(path: Path) -> None:
    plan = decode_plan(path.read_bytes())
    assert json.loads(encode_plan(plan)) == json.loads(path.read_bytes())


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"colour": 1}, "unknown field `colour`"),
        ({"version": "1"}, r"\$\.version"),
        (
            {"blocks": [{"zone": ".", "listeners": [], "program": [{"op": "nosuch", "span": 0}], "span": 0}]},
            r"\$\.blocks\[0\]\.program\[0\]",
        ),
        ({"listeners": [{"id": "a"}]}, r"\$\.listeners\[0\]"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(change: dict[str, object], where: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=where):
        decode_plan(json.dumps(json.loads(encode_plan(PLAN)) | change).encode())

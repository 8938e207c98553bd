"""`chaos`"""

import pytest

from clusterdns.plan.ops import FixedOp
from tests.unit.directives.blocks import ops, problems


def answers(line: str) -> dict[str, list[str]]:
    """What is said to each name."""
    (op,) = ops(line)
    assert isinstance(op, FixedOp)
    assert {(names.which, reply.qtype, reply.qclass) for names in op.names for reply in names.replies} == {("name", 16, 3)}
    return {names.name: reply.answer for names in op.names for reply in names.replies}


def test_without_words_it_tells_the_version_the_authors_and_the_machine() -> None:
    told = answers("chaos")
    assert told["version.bind."] == told["version.server."] == ['@ 0 CH TXT "CoreDNS-1.14.7"']
    assert told["hostname.bind."] == told["id.server."] == ['@ 0 CH TXT "localhost"']
    assert told["authors.bind."] == ['@ 0 CH TXT "the authors of clusterdns"']


@pytest.mark.parametrize(
    ("line", "version", "authors"),
    [
        ("chaos v1", ["v1"], ["the authors of clusterdns"]),
        ('chaos "a b" zoe ada zoe', ["a b"], ["ada", "zoe"]),
        ("chaos a\\b", ["a\\092b"], ["the authors of clusterdns"]),
        ("chaos é", ["\\195\\169"], ["the authors of clusterdns"]),
        (f"chaos {'x' * 300}", ["x" * 255], ["the authors of clusterdns"]),
        ("chaos first\nchaos second", ["first"], ["the authors of clusterdns"]),
    ],
)
def test_words_are_the_version_and_the_authors(line: str, version: list[str], authors: list[str]) -> None:
    told = answers(line)
    assert told["version.bind."] == [f'@ 0 CH TXT "{text}"' for text in version]
    assert told["authors.bind."] == [f'@ 0 CH TXT "{text}"' for text in authors]


def test_a_block_is_refused() -> None:
    assert any("`chaos` takes no block" in message for _, message in problems("chaos {\nx\n}"))

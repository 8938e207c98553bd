"""What a plugin says, on its way to the engine."""

import dns.message
import dns.rcode
import pytest

from clusterdns.control.told import NEXT, tell, tell_failure
from clusterdns.plugin import Answer, Ask, Query

QUERY = Query("www.example.org.", "A")


def test_nothing_is_the_next_directives_turn() -> None:
    assert tell(QUERY, None) == NEXT


def test_another_question_keeps_what_it_does_not_say() -> None:
    assert tell(QUERY, Ask("A.example.net")) == b"\2\0\1\1a\7example\3net\0"
    assert tell(QUERY, Ask(type="AAAA")) == b"\2\0\x1c\3www\7example\3org\0"


@pytest.mark.parametrize(("keep", "octet"), [(True, 4), (False, 3)])
def test_an_answer_is_a_message(keep: bool, octet: int) -> None:
    told = tell(QUERY, Answer(["www.example.org. A 192.0.2.1"], "NXDOMAIN", ["example.org. 5 NS ns.example.org."], cache=keep))
    message = dns.message.from_wire(told[1:])
    assert told[0] == octet
    assert message.rcode() == dns.rcode.NXDOMAIN
    assert [rrset.to_text() for rrset in (*message.question, *message.answer, *message.authority)] == [
        "www.example.org. IN A",
        "www.example.org. 60 IN A 192.0.2.1",
        "example.org. 5 IN NS ns.example.org.",
    ]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Answer(["nonsense"]), "`nonsense` is no record: not a TTL"),
        (Answer("www.example.org. A 192.0.2.1"), "records are a list of lines, not one string"),
        (Answer(rcode="NOSUCH"), "`NOSUCH` is no response code that an answer can have"),
        (Answer(rcode="BADVERS"), "`BADVERS` is no response code that an answer can have"),
        (Answer(["a. A 192.0.2.1"] * 4097), "an answer has at most 4096 records"),
        (Answer([f"a. TXT {'x' * 250}"] * 300), "fits into no message"),
        (Ask("a..b"), "a label cannot be empty"),
        (Ask(type="NOSUCH"), "`NOSUCH` is no record type"),
        ("www.example.org. A 192.0.2.1", "a plugin returns an Answer, an Ask or None, not str"),
    ],
)
def test_nonsense_is_told(reply: object, why: str) -> None:
    with pytest.raises((ValueError, TypeError)) as raised:
        tell(QUERY, reply)  # type: ignore[arg-type]
    assert why in str(raised.value)


def test_a_failure_says_why() -> None:
    assert tell_failure("no ☁") == b"\1no \xe2\x98\x81"

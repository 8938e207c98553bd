"""Which answers the load takes for right."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic

import dns.message
import dns.rcode
import dns.rrset
import pytest

from tests.controlplane.load import Load, Truth

NAME = "db.shop.svc.cluster.local"
QUERY = dns.message.make_query(NAME, "A")


def reply(*addresses: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> dns.message.Message:
    """An answer with these addresses."""
    message = dns.message.make_response(QUERY)
    message.set_rcode(rcode)
    if addresses:
        message.answer.append(dns.rrset.from_text(f"{NAME}.", 5, "IN", "A", *addresses))
    return message


def is_right(load: Load, *addresses: str, after: float = 0.0, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> bool:
    """Whether an answer is right that was asked for and came `after` so many seconds from now."""
    at = monotonic() + after
    return not load.judge(NAME, QUERY, reply(*addresses, rcode=rcode), at, at)


def changed(truth: Truth, *addresses: str) -> None:
    """A change that is done."""
    with truth.becoming(*addresses):
        pass


def test_all_addresses_and_no_others_are_right() -> None:
    load = Load(0, {NAME: Truth("10.0.0.1", "10.0.0.2")})
    assert is_right(load, "10.0.0.2", "10.0.0.1")
    assert not is_right(load, "10.0.0.1")
    assert not is_right(load, "10.0.0.1", "10.0.0.2", "10.0.0.3")
    assert not is_right(load, "10.0.0.1", "10.0.0.2", rcode=dns.rcode.SERVFAIL)


@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_a_name_that_does_not_exist_is_nxdomain(rcode: dns.rcode.Rcode) -> None:
    load = Load(0, {NAME: Truth()})
    assert is_right(load, rcode=dns.rcode.NXDOMAIN)
    assert not is_right(load, rcode=rcode)


def test_while_it_changes_both_are_right_and_a_mixture_is_not() -> None:
    truth = Truth("10.0.0.1", "10.0.0.2")
    load = Load(0, {NAME: truth})
    with truth.becoming("10.0.0.3", "10.0.0.4"):
        assert is_right(load, "10.0.0.1", "10.0.0.2")
        assert not is_right(load, "10.0.0.1", "10.0.0.4")
        assert is_right(load, "10.0.0.3", "10.0.0.4")


def test_what_was_answered_before_the_last_answer_is_wrong() -> None:
    truth = Truth("10.0.0.1")
    load = Load(0, {NAME: truth})
    with truth.becoming("10.0.0.2"):
        assert is_right(load, "10.0.0.2")
        assert not is_right(load, "10.0.0.1")


def test_what_was_true_too_long_ago_is_wrong() -> None:
    truth = Truth("10.0.0.1")
    load = Load(0, {NAME: truth}, late=5.0)
    changed(truth, "10.0.0.2")
    assert is_right(load, "10.0.0.1", after=4.0)
    assert not is_right(load, "10.0.0.1", after=6.0)
    assert is_right(load, "10.0.0.2", after=6.0)


def test_what_becomes_true_later_is_wrong_now() -> None:
    truth = Truth("10.0.0.1")
    load = Load(0, {NAME: truth})
    changed(truth, "10.0.0.2")
    assert not is_right(load, "10.0.0.2", after=-1.0)


def test_a_change_that_may_not_have_happened_leaves_both_right_until_the_next() -> None:
    truth = Truth("10.0.0.1")
    load = Load(0, {NAME: truth}, late=5.0)
    with suppress(ConnectionError), truth.becoming("10.0.0.2"):
        raise ConnectionResetError
    assert is_right(load, "10.0.0.1", after=60.0)
    assert is_right(load, "10.0.0.2", after=60.0)
    changed(truth, "10.0.0.3")
    assert not is_right(load, "10.0.0.2", after=60.0)
    assert is_right(load, "10.0.0.3", after=60.0)

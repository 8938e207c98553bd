"""Records as zone files write them (RFC 1035 5.1): `www.example. 60 IN A 192.0.2.1`.

The engine reads them, so its parser (`crates/core/src/zonefile`) says what is one: a second parser would not always agree. It is a function
of the text alone.
"""

from __future__ import annotations


def check_record(text: str) -> None:
    """Look at the first record of a text. Raises `ValueError` with what is wrong with it."""
    from clusterdns._engine import record_on_wire  # only those who write records pay for loading it

    record_on_wire(text, 0)

"""What a plugin says, as the engine reads it (`crates/core/src/ask.rs`): an octet that tells which, then what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.engine import name_on_wire, record_on_wire
from clusterdns.iana import rcode_number, type_number
from clusterdns.names import normalise
from clusterdns.plugin import Answer, Ask, Query, Reply

DEFAULT_TTL = 60
MOST_RECORDS = 4096
MOST_OCTETS = 65535

NEXT = b"\0"
_FAILED, _ASK, _ANSWER, _ANSWER_TO_KEEP = b"\1", b"\2", b"\3", b"\4"
_RESPONSE = 0x80


def tell(query: Query, reply: Reply) -> bytes:
    """Encodes a plugin's reply. Raises `ValueError` or `TypeError` with what is wrong with it."""
    match reply:
        case None:
            return NEXT
        case Ask():
            return _ASK + _type_of(reply.type or query.type) + name_on_wire(normalise(reply.name or query.name))
        case Answer():
            return (_ANSWER_TO_KEEP if reply.cache else _ANSWER) + _message(query, reply)
    raise TypeError(f"a plugin returns an Answer, an Ask or None, not {type(reply).__name__}")


def tell_failure(why: str) -> bytes:
    """Encodes that there is no answer, and why."""
    return _FAILED + why.encode("utf-8", "replace")


def _message(query: Query, answer: Answer) -> bytes:
    """A DNS message that answers the query (RFC 1035 4.1). The engine checks it, and sets the flags that are its own."""
    rcode = rcode_number(answer.rcode)
    if rcode is None or rcode > 15:
        raise ValueError(f"`{answer.rcode}` is no response code that an answer can have")
    sections = [_records(section) for section in (answer.records, answer.authority, answer.additional)]
    if sum(map(len, sections)) > MOST_RECORDS:
        raise ValueError(f"an answer has at most {MOST_RECORDS} records")
    counts = b"".join(len(section).to_bytes(2, "big") for section in sections)
    question = name_on_wire(query.name) + _type_of(query.type) + query.class_.to_bytes(2, "big")
    records = b"".join(record for section in sections for record in section)
    message = bytes([0, 0, _RESPONSE, rcode, 0, 1]) + counts + question + records
    if len(message) > MOST_OCTETS:
        raise ValueError(f"an answer of {len(message)} octets fits into no message")
    return message


def _records(lines: Sequence[str]) -> list[bytes]:
    """A section's records, each as in a message."""
    if isinstance(lines, str):
        raise TypeError("records are a list of lines, not one string")
    return [record_on_wire(line, DEFAULT_TTL) for line in lines]


def _type_of(name: str) -> bytes:
    """A type as in a message."""
    number = type_number(name)
    if number is None:
        raise ValueError(f"`{name}` is no record type")
    return number.to_bytes(2, "big")

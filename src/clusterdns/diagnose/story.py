"""A recorded answer as a story for people. Pure: from what the admin socket says to text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Reply = dict[str, Any]
MOST_RECORDS = 3


def tell(reply: Reply) -> str:
    """What was answered, and why: block, directives with their lines in the Corefile, the objects behind the records."""
    return "\n".join(_story(reply))


def query_line(reply: Reply) -> str:
    """One query as one line."""
    said = answer_in_short(reply)
    parts = [f"{reply['name']} {reply['type']}", said]
    if reply["origins"]:
        parts.append(", ".join(reply["origins"]))
    if reply["place"]:
        parts.append(f"{reply['place']} {reply['line']}")
    return f"{' | '.join(parts)} | {_microseconds(reply)}"


def answer_in_short(reply: Reply) -> str:
    """The records' data, or the response code when there are none."""
    records = [record["data"] if record["type"] == reply["type"] else f"{record['type']} {record['data']}" for record in reply["answer"]]
    if not records:
        return "no data" if reply["rcode"] == "NOERROR" else str(reply["rcode"])
    more = [f"and {len(records) - MOST_RECORDS} more"] if len(records) > MOST_RECORDS else []
    return ", ".join(records[:MOST_RECORDS] + more)


def _story(reply: Reply) -> Iterator[str]:
    """The story, line by line."""
    yield f"{reply['name']} {reply['type']}: {reply['rcode']} ({' '.join(reply['flags'])}), {reply['size']} octets, {_microseconds(reply)}"
    for section in ("answer", "authority", "additional"):
        for record in reply[section]:
            yield f"  {section:<10} {record['name']} {record['ttl']} {record['type']} {record['data']}"
    yield "because"
    yield f"  {'listener':<10} {reply['listener']}"
    for step in reply["steps"]:
        yield f"  {step['what']:<10} {_words(step)}".rstrip()
    for origin in reply["origins"]:
        yield f"  {'object':<10} {origin}"


def _words(step: Reply) -> str:
    """A step's own words, or the line of the Corefile that it is."""
    place = f"{step['place']}  {step['line']}" if step["place"] else ""
    return "  ".join(part for part in (step["detail"], place) if part)


def _microseconds(reply: Reply) -> str:
    """How long it took."""
    return f"{reply['nanoseconds'] / 1000:.0f} µs"

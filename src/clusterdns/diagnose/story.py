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
    return f"{' | '.join(parts)} | {_time(reply['nanoseconds'])}"


def answer_in_short(reply: Reply) -> str:
    """The records' data, or the response code when there are none."""
    records = [record["data"] if record["type"] == reply["type"] else f"{record['type']} {record['data']}" for record in reply["answer"]]
    if not records:
        return "no data" if reply["rcode"] == "NOERROR" else str(reply["rcode"])
    more = [f"and {len(records) - MOST_RECORDS} more"] if len(records) > MOST_RECORDS else []
    return ", ".join(records[:MOST_RECORDS] + more)


def _story(reply: Reply) -> Iterator[str]:
    """The story, line by line."""
    said = f"{reply['rcode']} ({' '.join(reply['flags'])}), {reply['size']} octets" if reply["size"] else "no reply"
    yield f"{reply['name']} {reply['type']}: {said}, {_time(reply['nanoseconds'])}"
    records = [(section, _record(record)) for section in ("answer", "authority", "additional") for record in reply[section]]
    steps = [(step["what"], _time(step["at"]), _words(step)) for step in reply["steps"]]
    reasons = [("listener", "", reply["listener"]), *steps, *(("object", "", origin) for origin in reply["origins"])]
    width = max(len(what) for what, *_ in (*records, *reasons))
    # The times stand before the words, however long those are: in a narrow terminal they are where they were.
    times = max(len(time) for _, time, _ in reasons)
    yield from (f"  {what:<{width}}  {words}" for what, words in records)
    yield "because"
    yield from (f"  {what:<{width}}  {time:>{times}}  {words}".rstrip() for what, time, words in reasons)


def _record(record: Reply) -> str:
    """A record as a zone file has it."""
    return f"{record['name']} {record['ttl']} {record['type']} {record['data']}"


def _words(step: Reply) -> str:
    """A step's own words, or the line of the Corefile that it is."""
    place = f"{step['place']}  {step['line']}" if step["place"] else ""
    return "  ".join(part for part in (step["detail"], place) if part)


def _time(nanoseconds: int) -> str:
    """A time for people: three or four digits and their unit."""
    if nanoseconds < 1_000_000:
        return f"{nanoseconds // 1000} µs"
    milliseconds = nanoseconds / 1_000_000
    return f"{milliseconds:.1f} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"

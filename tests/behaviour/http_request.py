"""Requests to the HTTP of the server: health, readiness, metrics."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator

from tests.behaviour.scenario import Document, Http

PATIENCE = 2.0
MOST_BODY = 2000


def request(http_step: Http, port: int) -> Document:
    """The step `http`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(http_step.method, http_step.path)
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as problem:
        return {"result": {"error": type(problem).__name__}}
    finally:
        connection.close()
    if http_step.families:
        shown: Document = {"metrics": list(_samples(body, http_step))}
    elif http_step.names:
        shown = {"families": sorted(_families(body, http_step.names))}
    else:
        shown = {"content_type": response.getheader("Content-Type"), "body": body[:MOST_BODY]}
    return {"result": {"status": response.status, **shown}}


def _samples(body: str, http_step: Http) -> Iterator[str]:
    """The lines of the wanted families. Of a histogram: its counts, and of its buckets only which there are."""
    for line in body.splitlines():
        name = re.split(r"[{ ]", line)[0]
        described = line.split()[2] if line.startswith("# TYPE ") else ""
        if described in http_step.families or name.removesuffix("_count") in http_step.families:
            yield line
        elif http_step.buckets and name.endswith("_bucket") and name.removesuffix("_bucket") in http_step.families:
            yield line.rpartition(" ")[0]


def _families(body: str, names: str) -> Iterator[str]:
    """`NAME TYPE` of each family whose name matches."""
    for line in body.splitlines():
        if line.startswith("# TYPE ") and re.match(names, line.split()[2]):
            yield " ".join(line.split()[2:4])

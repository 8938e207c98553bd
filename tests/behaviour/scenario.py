"""What a scenario file says: how the server is started, what is done to it, and what CoreDNS did. README.md explains each field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

Document = dict[str, Any]
"""What happened, as JSON: it is compared, restored to placeholders and written, never computed with."""

SLOW = 0.25
"""From how many seconds on it is told how long a reply took."""

FOLDER = Path(__file__).parent / "scenarios"


class Query(Struct, frozen=True, forbid_unknown_fields=True):
    """A question to the server: its message, and how it is sent. `raw`: the whole message in hex, whose id is replaced."""

    name: str = "."
    type: str = "A"
    class_: str = field(default="IN", name="class")
    questions: tuple[tuple[str, str, str], ...] | None = None
    opcode: str = "QUERY"
    rd: bool = True
    qr: bool = False
    aa: bool = False
    tc: bool = False
    z: bool = False
    ad: bool = False
    cd: bool = False
    edns: int | None = None
    edns_z: int = 0
    do: bool = False
    options: tuple[tuple[int, str], ...] = ()
    answer: tuple[str, ...] = ()
    authority: tuple[str, ...] = ()
    raw: str | None = None
    proto: Literal["udp", "tcp", "tls"] = "udp"
    to: str = "PORT"
    addr: str = "127.0.0.1"
    from_: str | None = field(default=None, name="from")
    timeout: float = 3


class Repeat(Struct, frozen=True, forbid_unknown_fields=True):
    """The same question `n` times, one after the other; `summary`: only the count of each reply is kept."""

    n: int
    query: Query
    summary: bool = False


class Burst(Struct, frozen=True, forbid_unknown_fields=True):
    """The same question `n` times at once."""

    n: int
    query: Query


class Timed(Struct, frozen=True, forbid_unknown_fields=True):
    """A question that is sent so long after the step began."""

    query: Query
    at_ms: int = 0


class Stream(Struct, frozen=True, forbid_unknown_fields=True):
    """Questions in one write on one TCP connection; `then_wait_close`: seconds for the server to close it."""

    queries: tuple[Query, ...]
    then_wait_close: float | None = None


class Http(Struct, frozen=True, forbid_unknown_fields=True):
    """A request to the server's HTTP; of metrics the samples of `families`, or the types of all whose name matches `names`."""

    to: str
    path: str
    method: str = "GET"
    families: tuple[str, ...] = ()
    buckets: bool = False
    names: str | None = None


class WaitLog(Struct, frozen=True, forbid_unknown_fields=True):
    """Wait until a line matches."""

    match: str
    timeout: float = 6


class Opt(Struct, frozen=True, forbid_unknown_fields=True):
    """The OPT record of an upstream's reply; `always`: also where the query has none."""

    payload: int = 1232
    do: bool = False
    options: tuple[tuple[int, str], ...] = ()
    always: bool = False


class Repeated(Struct, frozen=True, forbid_unknown_fields=True):
    """A record `repeat` times, `{i}` counted from 1."""

    repeat: int
    rr: str


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """Which queries an upstream answers so, and how it does."""

    name: str = "*"
    type: str = "*"
    do: bool | None = None
    times: int | None = None
    rcode: str = "NOERROR"
    answer: tuple[str | Repeated, ...] = ()
    authority: tuple[str | Repeated, ...] = ()
    additional: tuple[str | Repeated, ...] = ()
    aa: bool = False
    ad: bool = False
    ra: bool = True
    tc: Literal["udp", "always"] | None = None
    tc_keep: bool = False
    edns: Literal["echo", "none"] | Opt = "echo"
    delay_ms: int = 0
    drop: bool = False
    close: bool = False
    close_after: bool = False
    slow_tcp_ms: int = 0
    wrong_id: bool = False
    question: str | None = None
    question_type: str | None = None
    no_qr: bool = False
    garbage: str | None = None
    twice: bool = False


class UpstreamSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A scripted upstream: its rules (the first that matches wins; none: REFUSED), and over what it can be reached."""

    rules: tuple[Rule, ...] = ()
    up: bool = True
    udp: bool = True
    tcp: bool = True
    tls: bool = False


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is done, and how long (seconds) what follows from it may take to show."""

    query: Query | None = None
    repeat: Repeat | None = None
    burst: Burst | None = None
    async_: tuple[Timed, ...] | None = field(default=None, name="async")
    tcp: Stream | None = None
    http: Http | None = None
    wait: float | None = None
    wait_log: WaitLog | None = None
    upstream: dict[str, UpstreamSpec | Literal["down", "up"]] | None = None
    write: dict[str, str | None] | None = None
    file: str | None = None
    signal: str | None = None
    exit: float | None = None
    settle: float = 0.04
    no_upstream: bool = False
    count_upstream: bool = False


class Compare(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out of the comparison: paths that match, and the order of records in sections."""

    ignore: tuple[str, ...] = ()
    unordered: tuple[str, ...] = ()


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario file."""

    name: str
    shows: str
    corefile: str | None = None
    files: dict[str, str] = {}
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    stdin: bool = False
    ready: str = r"^(linux/|CoreDNS-)"
    settle: float = 0.08
    start_timeout: float = 8
    cert: str | None = None
    record_start_upstream: float = 0
    upstreams: dict[str, UpstreamSpec] = {}
    steps: tuple[Step, ...] = ()
    compare: Compare = Compare()
    runs: int = 3
    server: str = ""
    recorded: Document = {}
    varies: dict[str, list[Any]] = {}


def names() -> list[str]:
    """The names of all scenarios."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def path_of(name: str) -> Path:
    """The file of a scenario."""
    return FOLDER / f"{name}.json"


def load(name: str) -> Scenario:
    """The scenario of this name."""
    return msgspec.json.decode(path_of(name).read_bytes(), type=Scenario)

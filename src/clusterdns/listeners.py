"""Which sockets all blocks together need, for DNS and for HTTP, and which zones are served on each.

Must not know single directives, nor how a socket is opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import structs

from clusterdns.corefile.keys import SCHEME, Key
from clusterdns.corefile.problems import Place, Problem, Severity
from clusterdns.corefile.tree import Token
from clusterdns.directives.block import BlockContext
from clusterdns.plan import Block
from clusterdns.plan.listeners import HttpListener, Listener, TlsServer


class Served(NamedTuple):
    """A zone and the label of a listener that it is served on (`dns://:53`), as the banner tells them."""

    zone: str
    server: str


def http_listeners(contexts: Sequence[BlockContext], problems: list[Problem]) -> list[HttpListener]:
    """What is served over HTTP: it is one process, so blocks share addresses, and readiness is that of all blocks that want it told.

    Metrics at an address are secured if one of the blocks says so. Where they cannot agree, that is reported.
    """
    found: dict[tuple[str, str], HttpListener] = {}
    secured: dict[str, tuple[TlsServer, Place]] = {}
    for listener, place in (one for context in contexts for one in context.http):
        found[listener.address, listener.serves] = listener
        if not listener.tls:
            continue
        tls, first = secured.setdefault(listener.address, (listener.tls, place))
        if tls != listener.tls:
            hint = f"it was defined at {first}: blocks that share an address share `tls`, or have addresses of their own"
            problems.append(Problem(Severity.ERROR, "conflict", place, f"{listener.address} has another certificate already", hint))
    for listener, place in (one for context in contexts for one in context.http):
        if listener.address in secured and listener.serves != "metrics":
            hint = f"metrics are secured at {secured[listener.address][1]}: give one of them another address"
            message = f"{listener.address} is served in the clear and over TLS"
            problems.append(Problem(Severity.ERROR, "conflict", place, message, hint))
    wait = [context for context in contexts if any(listener.serves == "ready" for listener, _ in context.http)]
    zones = list(dict.fromkeys(zone for context in wait for zone in context.zone_ids))
    return [
        structs.replace(one, zones=zones if one.serves == "ready" else one.zones, tls=secured.get(one.address, (None,))[0])
        for one in found.values()
    ]


class Listeners:
    """The sockets of the plan, and which zones are served on each."""

    def __init__(self, problems: list[Problem]) -> None:
        self.by_id: dict[str, Listener] = {}
        self.served: list[Served] = []
        self._problems = problems
        self._hosts: dict[Key, dict[str, Token]] = {}
        self._first: dict[str, Token] = {}

    def serve(self, keys: Iterable[tuple[Key, Token]], context: BlockContext, filtered: bool) -> Iterator[Block]:
        """The plan's blocks for a server block: one for each key. `filtered`: it leaves some queries to further blocks for its zones."""
        hosts = ("",) if context.bind is None else context.bind
        for key, token in keys:
            if filtered:
                self._warn_of_order(key, hosts, token)
            free = [host for host in hosts if filtered or self._is_free(key, host, token)]
            listeners = [_listener(host, key) for host in free]
            for listener in listeners:
                self._add(listener, token, context)
            self.served += [Served(key.zone, listener.server) for listener in listeners]
            if listeners:
                yield Block(
                    zone=key.zone,
                    listeners=[listener.id for listener in listeners],
                    program=context.program,
                    span=context.span(token),
                    view=context.view,
                    when=context.when,
                    metadata=context.labels.metadata(),
                )

    def check(self) -> None:
        """Report what is wrong with listeners as all blocks together make them."""
        for listener in self.by_id.values():
            if _is_secured(listener) and listener.tls is None:
                hint = "add a line `tls CERT KEY` to the block"
                self._report("no-certificate", self._first[listener.id], f"{listener.server} has no certificate", hint)

    def _add(self, listener: Listener, token: Token, context: BlockContext) -> None:
        """Take a listener up; of the blocks that share it, the last one that sets a time decides, as in CoreDNS."""
        if listener.id not in self.by_id:
            self._first[listener.id] = token
            self._refuse_two_transports(listener, token)
        known = self.by_id.get(listener.id, listener)
        says = {name: value for name, value in structs.asdict(context.timeouts).items() if value is not None}
        if says:
            known = structs.replace(known, timeouts=structs.replace(known.timeouts, **says))
        if context.tls and _is_secured(listener):
            if known.tls not in (None, context.tls):
                hint = f"it was defined at {self._first[listener.id].place}: blocks that share a listener share `tls`, or bind them apart"
                self._report("conflict", token, f"{listener.server} has another certificate already", hint)
            known = structs.replace(known, tls=context.tls)
        self.by_id[listener.id] = known

    def _refuse_two_transports(self, listener: Listener, token: Token) -> None:
        """Report a port that is to be served in the clear and over TLS: a client cannot say which it means."""
        for other in self.by_id.values():
            overlaps = other.host == listener.host or "" in (other.host, listener.host)
            if other.port == listener.port and overlaps and _is_secured(other) != _is_secured(listener):
                hint = f"{other.server} was defined at {self._first[other.id].place}: give one of them another port"
                self._report("conflict", token, f"port {listener.port} is served in the clear and over TLS", hint)

    def _is_free(self, key: Key, host: str, token: Token) -> bool:
        """Whether nobody serves this zone there already; every address overlaps with each single one (rule G7)."""
        hosts = self._hosts.setdefault(key, {})
        if host in hosts:
            self._refuse(token, f"cannot serve {_where(key, host)} - it is already defined", hosts[host])
            return False
        other = next(iter(hosts), None) if host == "" else "" if "" in hosts else None
        if other is not None:
            message = f"cannot serve {_where(key, host)} - zone overlap listener capacity with {_where(key, other)}"
            self._refuse(token, message, hosts[other])
            return False
        hosts[host] = token
        return True

    def _warn_of_order(self, key: Key, hosts: Iterable[str], token: Token) -> None:
        """Report a block with a filter behind one without, which takes all queries for itself."""
        first = next((taken[host] for host in hosts if host in (taken := self._hosts.get(key, {}))), None)
        if first is not None:
            message = f"no query for `{key}` comes here: the block at {first.place} takes all of them"
            hint = "blocks are tried from top to bottom: put those with a view first"
            self._problems.append(Problem(Severity.WARNING, "unreachable-view", token.place, message, hint))

    def _refuse(self, token: Token, message: str, first: Token) -> None:
        """Report a zone that two blocks claim."""
        hint = f"it was defined at {first.place}; merge the blocks, or give each its own zone, port or bind address"
        self._report("zone-twice", token, message, hint)

    def _report(self, code: str, token: Token, message: str, hint: str) -> None:
        """Report an error at a key."""
        self._problems.append(Problem(Severity.ERROR, code, token.place, message, hint))


def _listener(host: str, key: Key) -> Listener:
    """The listener for a key on an address; an empty host stands for all."""
    bracketed = f"[{host}]" if ":" in host else host
    place, server = f"{bracketed}:{key.port}", f"{key.scheme}://{bracketed}:{key.port}"
    return Listener(id=place if key.scheme == SCHEME else server, host=host, port=key.port, server=server)


def _is_secured(listener: Listener) -> bool:
    """Whether it is for TLS."""
    return listener.server.startswith("tls://")


def _where(key: Key, host: str) -> str:
    """A key on an address in CoreDNS's words."""
    return f"{key} on {host}" if host else str(key)

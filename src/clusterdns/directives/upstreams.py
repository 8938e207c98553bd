"""The servers that `forward` asks: addresses, those of files like resolv.conf and of host names, and how they are asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, ResolvedHost, WatchedFile
from clusterdns.directives.options import LOOK, arguments, endpoint, engine_files
from clusterdns.plan.ops import TlsClient, Upstream
from clusterdns.scalars import Endpoint, address_or_none
from clusterdns.sources import UnresolvedError, why_unreadable

Address = IPv4Address | IPv6Address

MOST_TO = 15
PORT = 53
PORTS = {"dns": PORT, "tls": 853}
"""The schemes of servers that are asked, and their usual ports."""
MOST_HOST_NAME = 253
TLS_OPTIONS = ("tls", "tls_servername")
TLS_SYNTAX = "tls [CERT] [KEY] [CA]"
SERVER_OPTIONS = (*TLS_OPTIONS, "resolver", "source_address")
"""The options that say how servers are found and asked."""

_SCHEME = re.compile(r"(dns|tls|https3?|grpc|quic|unix)://(.*)", re.DOTALL)
_PERCENT = re.compile(r"%([^\]:]*)")
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


class To(NamedTuple):
    """A server: its address, and how it is asked. Over TLS it has a name, which is empty where nobody says another than its address."""

    address: str
    tls_name: str | None = None


class Named(NamedTuple):
    """A server by its host name, whose addresses have to be looked up; the rest as in `To`."""

    host: str
    port: int
    tls_name: str | None = None


class Servers(NamedTuple):
    """What one word stands for: servers by their addresses, or one by its name."""

    token: Token
    are: tuple[To, ...] | Named

    @property
    def over_tls(self) -> bool:
        """Whether they are asked over TLS."""
        return any(one.tls_name is not None for one in ((self.are,) if isinstance(self.are, Named) else self.are))

    @property
    def tls_name(self) -> str:
        """The name that the word itself says is on their certificates; empty: none."""
        first = self.are if isinstance(self.are, Named) else next(iter(self.are), None)
        return (first and first.tls_name) or ""


_Found = tuple[Token, tuple[To, ...]]
"""A word, and the servers that it stands for, looked up."""


class Source(NamedTuple):
    """The address that all servers are asked from, and the option that says so."""

    address: Address
    option: Line


class ServerOptions(NamedTuple):
    """What a line says of all of its servers.

    `tls_name`: what their certificates are for. `ca`, `cert` and `key` are paths of files. `resolvers` know the host names (none: the
    system does). `source`: where queries leave from (None: where the system lets them).
    """

    tls_name: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    resolvers: tuple[Endpoint, ...] = ()
    source: Source | None = None


def servers_of(line: Line, to: Sequence[Token], block: BlockContext) -> list[Servers]:
    """What the words name, in their order."""
    problems = len(block.problems)
    found = [Servers(token, are) for token in to if (are := _servers(token, block))]
    if len(found) > MOST_TO:
        message = f"there are {len(found)} TOs, and at most {MOST_TO} are possible"
        block.error(to[MOST_TO], message, "name fewer, or several in one resolv.conf", code="argument-count")
    elif not found and len(block.problems) == problems:
        hint = "name the servers here, or write `nameserver ADDRESS` lines into the file"
        block.error(line, "there is no server to ask", hint, code="no-upstream")
    return found


def upstreams_of(servers: Sequence[Servers], options: ServerOptions, block: BlockContext) -> list[Upstream]:
    """The servers as the plan has them, each once, in the order of the words. Looks their names up."""
    found = [(token, _looked_up(token, are, options, block) if isinstance(are, Named) else are) for token, are in servers]
    if options.source is not None:
        found = _of_its_family(found, options.source, block)
    source = None if options.source is None else str(options.source.address)
    to = dict.fromkeys(server for _, servers in found for server in servers)
    return [Upstream(one.address, _tls(one, options), source) for one in to]


def _servers(token: Token, block: BlockContext) -> tuple[To, ...] | Named:
    """What a TO stands for: an address, those in a file like resolv.conf, or a name; nothing if it is wrong, or names nobody."""
    scheme, text = matched.groups() if (matched := _SCHEME.fullmatch(token.text)) else ("dns", token.text)
    if scheme not in PORTS:
        hint = "plain DNS and DNS over TLS are asked: write IP[:PORT] or tls://IP[:PORT], or stay with CoreDNS for this upstream"
        block.error(token, f"`{scheme}://` is not supported yet", hint, code="unsupported-scheme")
        return ()
    to, why = None, ""
    try:
        to = Endpoint.parse(_PERCENT.sub("", text), PORTS[scheme])
    except ValueError as problem:
        why = str(problem)
    address = address_or_none(to.host) if to else None
    if to is None or address is None:
        if scheme == "dns" and (listed := _servers_in_file(token, text, block)) is not None:
            return listed
        if to is None or not _is_host_name(to.host):
            _report_nobody(token, scheme, text, why, block)
            return ()
    if to.port == 0:
        block.error(token, "nobody answers on port 0", "a port is a number from 1 to 65535", code="bad-value")
        return ()
    tls_name = _name_of(token, text, block) if scheme == "tls" else None
    if address is None:
        return Named(to.host, to.port, tls_name)
    if address.version == 6 and address.is_link_local:
        hint = "use another address of the server"
        block.warn(token, "a link-local address says nothing without its interface", hint, code="link-local")
    return (To(_written(address, to.port), tls_name),)


def _report_nobody(token: Token, scheme: str, text: str, why: str, block: BlockContext) -> None:
    """A word that names no server; `why` it is no address, if it looks like one."""
    if scheme == "tls":
        message = why or f"`{text}` is neither an IP address nor a host name"
        block.error(token, message, "write tls://IP[%NAME][:PORT] or tls://HOST[%NAME][:PORT]", code="bad-value")
    elif "/" in text:
        block.error(token, f"cannot read {text}: no such file", "write an address, or the path of a resolv.conf", code="unreadable")
    elif why:
        block.error(token, why, "write IP[:PORT], an IPv6 address with a port in brackets, or HOST[:PORT]", code="bad-value")
    else:
        message = f"`{token.text}` is neither an IP address, a file nor a host name"
        block.error(token, message, "write IP[:PORT], HOST[:PORT], or the path of a resolv.conf", code="bad-value")


def _name_of(token: Token, text: str, block: BlockContext) -> str:
    """The name behind `%`, that the certificate of a server over TLS is for; empty without."""
    found = _PERCENT.search(text)
    return _certified_name(token, found[1], block) if found else ""


def _certified_name(token: Token, text: str, block: BlockContext) -> str:
    """A name that a certificate can be for, as it is in certificates: without a dot at its end."""
    name = text.removesuffix(".")
    if not address_or_none(name) and (len(name) > MOST_HOST_NAME or not _HOST_NAME.fullmatch(name)):
        block.error(token, f"`{text}` is no name of a server", "write the name that its certificate is for", code="bad-name")
    return name


def _is_host_name(text: str) -> bool:
    """Whether a name can be looked up. What ends with a number is an address that went wrong: no domain does (RFC 3696 2)."""
    name = text.removesuffix(".")
    return len(name) <= MOST_HOST_NAME and bool(_HOST_NAME.fullmatch(name)) and not _NUMBER.fullmatch(name.rpartition(".")[2])


def _servers_in_file(token: Token, path: str, block: BlockContext) -> tuple[To, ...] | None:
    """The `nameserver` lines of a file (resolv.conf(5)); None: there is no such file."""
    try:
        lines = block.sources.read(path).splitlines()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        what = why_unreadable(problem)
        block.error(token, f"cannot read {path}: {what}", "write an address, or the path of a resolv.conf", code="unreadable")
        return ()
    block.watched.append(WatchedFile(path, LOOK))
    found: list[To] = []
    for number, line in enumerate(lines, start=1):
        match line.split():
            case ["nameserver", name, *_]:
                if address := address_or_none(_PERCENT.sub("", name)):
                    found.append(To(_written(address, PORT)))
                else:
                    hint = "the line is left out"
                    block.warn(token, f"{path}:{number}: `{name}` is no IP address", hint, code="bad-nameserver")
    return tuple(found)


def _looked_up(token: Token, named: Named, options: ServerOptions, block: BlockContext) -> tuple[To, ...]:
    """The server that has this name, by all of its addresses."""
    try:
        addresses = _in_steady_order(block.sources.resolve(named.host, options.resolvers))
    except UnresolvedError as why:
        hint = "name servers in `resolver` that know it" if options.resolvers else "let a server look it up that knows it (`resolver`)"
        block.error(token, f"cannot resolve `{named.host}`: {why}", f"write an address, or {hint}", code="unresolved-host")
        return ()
    block.hosts.append(ResolvedHost(named.host, tuple(map(str, addresses))))
    if named.tls_name == "" and not options.tls_name:
        message = f"the certificate must be for the address that `{named.host}` has, whatever that is"
        name = named.host.removesuffix(".")
        block.warn(token, message, f"if it is for the name, add: tls_servername {name}", code="unnamed-server")
    return tuple(To(_written(address, named.port), named.tls_name) for address in addresses)


def _in_steady_order(addresses: Iterable[str]) -> list[Address]:
    """Addresses in an order that stays: those of the family that comes first, then the others, each by their numbers.

    Which family is first says what this machine reaches (RFC 6724); the rest is turned with each answer, which must change nothing.
    """
    found = [_unmapped(ip_address(address.partition("%")[0])) for address in addresses]
    return sorted(dict.fromkeys(found), key=lambda address: (address.version != found[0].version, int(address)))


def _of_its_family(found: Sequence[_Found], source: Source, block: BlockContext) -> list[_Found]:
    """The servers that can be asked from this address. A word that names no such server is told, and is an error if none does."""

    def is_reached(server: To) -> bool:
        return (":" in Endpoint.parse(server.address).host) == (source.address.version == 6)

    kept = [(token, tuple(server for server in servers if is_reached(server))) for token, servers in found]
    left_out = [token for (token, servers), (_, rest) in zip(found, kept, strict=True) if servers and not rest]
    if left_out and not any(servers for _, servers in kept):
        message = f"no server can be asked from {source.address}: all of them have IPv{10 - source.address.version} addresses only"
        block.error(source.option, message, "give the address of this machine that reaches them, or remove the line", code="conflict")
    else:
        for token in left_out:
            message = f"`{token.text}` cannot be asked from {source.address}, which is of the other family; it is left out"
            block.warn(token, message, "give it a `forward` line without this `source_address`", code="other-family")
    return kept


def _tls(to: To, options: ServerOptions) -> TlsClient | None:
    """How a server is asked over TLS, if it is. Without a name its certificate must be for its address."""
    if to.tls_name is None:
        return None
    name = options.tls_name or to.tls_name or Endpoint.parse(to.address).host
    return TlsClient(name, ca=options.ca, cert=options.cert, key=options.key)


def with_server_option(options: ServerOptions, option: Line, servers: Sequence[Servers], block: BlockContext) -> ServerOptions:
    """What is said of all servers with one more option taken in; one that is wrong is reported and changes nothing."""
    match option.name.text:
        case "tls":
            words = arguments(option, block, TLS_SYNTAX)
            if not any(one.over_tls for one in servers):
                _warn_without_effect(option, "no upstream is asked over TLS", block)
                return options
            match engine_files(words or (), block):
                case [ca]:
                    return options._replace(ca=ca, cert="", key="")
                case [cert, key, *more]:
                    return options._replace(ca="".join(more), cert=cert, key=key)
            return options._replace(ca="", cert="", key="")
        case "tls_servername":
            return _with_tls_name(options, option, servers, block)
        case "resolver":
            return _with_resolvers(options, option, servers, block)
        case _:
            return options._replace(source=_source(option, block) or options.source)


def _with_tls_name(options: ServerOptions, option: Line, servers: Sequence[Servers], block: BlockContext) -> ServerOptions:
    """`tls_servername NAME`"""
    words = arguments(option, block, "tls_servername NAME")
    if not any(one.over_tls for one in servers):
        _warn_without_effect(option, "no upstream is asked over TLS", block)
        return options
    if not words:
        return options
    if named := [one.tls_name for one in servers if one.tls_name]:
        hint = "name all servers in one of the two ways"
        block.error(option, f"`tls_servername` and `%{named[0]}` both name a server", hint, code="conflict")
    return options._replace(tls_name=_certified_name(words[0], words[0].text, block))


def _with_resolvers(options: ServerOptions, option: Line, servers: Sequence[Servers], block: BlockContext) -> ServerOptions:
    """`resolver IP[:PORT]...`"""
    found: list[Endpoint] = []
    for token in arguments(option, block, "resolver IP[:PORT]...") or ():
        if one := endpoint(token, block, PORT):
            if "%" in one.host or not address_or_none(one.host):
                block.error(token, f"`{token.text}` is no IP address", "write IP[:PORT]", code="bad-address")
            elif one.port == 0:
                block.error(token, "nobody answers on port 0", "a port is a number from 1 to 65535", code="bad-value")
            else:
                found.append(one)
    if not any(isinstance(one.are, Named) for one in servers):
        _warn_without_effect(option, "no upstream is a host name", block)
    return options._replace(resolvers=tuple(found))


def _source(option: Line, block: BlockContext) -> Source | None:
    """`source_address IP`; None where it is wrong, or means any address."""
    for token in arguments(option, block, "source_address IP") or ():
        address = None if "%" in token.text else address_or_none(token.text)
        if address is None:
            block.error(token, f"`{token.text}` is no IP address", "write an address of this machine", code="bad-address")
        elif address.is_multicast:
            message = f"nothing can be sent from {address}: it is the address of a group"
            block.error(token, message, "write an address of this machine", code="bad-address")
        elif address.is_unspecified:
            _warn_without_effect(option, f"{address} is any address", block)
        else:
            return Source(_unmapped(address), option)
    return None


def _warn_without_effect(option: Line, why: str, block: BlockContext) -> None:
    """An option that CoreDNS takes, and that changes nothing here."""
    block.warn(option, f"`{option.name.text}` has no effect", f"{why}; remove the line", code="no-effect")


def _written(address: Address, port: int) -> str:
    """An address and a port in their one way of writing: the same server is asked on the same connections."""
    return str(Endpoint(str(_unmapped(address)), port))


def _unmapped(address: Address) -> Address:
    """An IPv4 address as what it is, however it is written."""
    return getattr(address, "ipv4_mapped", None) or address

"""The servers that `forward` asks: addresses, those of files like resolv.conf, and how they are asked over TLS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, WatchedFile
from clusterdns.directives.options import LOOK, arguments, engine_files
from clusterdns.plan import TlsClient, Upstream
from clusterdns.scalars import Endpoint, address_or_none

MOST_TO = 15
PORT = 53
PORTS = {"dns": PORT, "tls": 853}
"""The schemes of servers that are asked, and their usual ports."""
MOST_HOST_NAME = 253
TLS_OPTIONS = ("tls", "tls_servername")
TLS_SYNTAX = "tls [CERT] [KEY] [CA]"

_SCHEME = re.compile(r"(dns|tls|https3?|grpc|quic|unix)://(.*)", re.DOTALL)
_PERCENT = re.compile(r"%([^\]:]*)")
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*", re.IGNORECASE)


class To(NamedTuple):
    """A server: its address, and how it is asked. Over TLS it has a name, which is empty where nobody says another than its address."""

    address: str
    tls_name: str | None = None


class TlsOptions(NamedTuple):
    """What a line says of all of its servers over TLS: the name of their certificates, and paths of files."""

    server_name: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""


def servers_of(line: Line, to: Sequence[Token], block: BlockContext) -> list[To]:
    """The servers to ask, each once, in the order of the words."""
    problems = len(block.problems)
    found = [servers for token in to if (servers := _servers(token, block))]
    if len(found) > MOST_TO:
        message = f"there are {len(found)} TOs, and at most {MOST_TO} are possible"
        block.error(to[MOST_TO], message, "name fewer, or several in one resolv.conf", code="argument-count")
    elif not found and len(block.problems) == problems:
        hint = "name the servers here, or write `nameserver ADDRESS` lines into the file"
        block.error(line, "there is no server to ask", hint, code="no-upstream")
    return list(dict.fromkeys(server for servers in found for server in servers))


def _servers(token: Token, block: BlockContext) -> list[To]:
    """What a TO stands for: an address, or those in a file like resolv.conf."""
    scheme, text = matched.groups() if (matched := _SCHEME.fullmatch(token.text)) else ("dns", token.text)
    if scheme not in PORTS:
        hint = "plain DNS and DNS over TLS are asked: write IP[:PORT] or tls://IP[:PORT], or stay with CoreDNS for this upstream"
        block.error(token, f"`{scheme}://` is not supported yet", hint, code="unsupported-scheme")
        return []
    why = ""
    try:
        to = Endpoint.parse(_PERCENT.sub("", text), PORTS[scheme])
    except ValueError as problem:
        why = str(problem)
    else:
        if address := address_or_none(to.host):
            if to.port == 0:
                block.error(token, "nobody answers on port 0", "a port is a number from 1 to 65535", code="bad-value")
            if address.is_link_local and address.version == 6:
                hint = "use another address of the server"
                block.warn(token, "a link-local address says nothing without its interface", hint, code="link-local")
            return [To(_written(to), _name_of(token, text, block) if scheme == "tls" else None)]
    if scheme == "tls":
        block.error(token, why or f"`{text}` is no IP address", "write tls://IP[%NAME][:PORT]", code="bad-value")
        return []
    return [To(address) for address in _addresses_in_file(token, text, why, block)]


def _name_of(token: Token, text: str, block: BlockContext) -> str:
    """The name behind `%`, that the certificate of a server over TLS is for; empty without."""
    found = _PERCENT.search(text)
    return _host_name(token, found[1], block) if found else ""


def _host_name(token: Token, text: str, block: BlockContext) -> str:
    """A name that a certificate can be for, as it is in certificates: without a dot at its end."""
    name = text.removesuffix(".")
    if not address_or_none(name) and (len(name) > MOST_HOST_NAME or not _HOST_NAME.fullmatch(name)):
        block.error(token, f"`{text}` is no name of a server", "write the name that its certificate is for", code="bad-name")
    return name


def upstream(to: To, tls: TlsOptions) -> Upstream:
    """A server as the plan has it. Without a name its certificate must be for its address."""
    if to.tls_name is None:
        return Upstream(to.address, tls=None)
    name = tls.server_name or to.tls_name or Endpoint.parse(to.address).host
    return Upstream(to.address, TlsClient(name, ca=tls.ca, cert=tls.cert, key=tls.key))


def with_tls_option(tls: TlsOptions, option: Line, to: Sequence[To], block: BlockContext) -> TlsOptions:
    """What is said of TLS with one more option taken in."""
    if option.name.text == "tls":
        match engine_files(arguments(option, block, TLS_SYNTAX) or (), block):
            case [ca]:
                return tls._replace(ca=ca, cert="", key="")
            case [cert, key, *ca]:
                return tls._replace(ca="".join(ca), cert=cert, key=key)
        return tls._replace(ca="", cert="", key="")
    words = arguments(option, block, "tls_servername NAME")
    if not words:
        return tls
    if named := [one.tls_name for one in to if one.tls_name]:
        hint = "name all servers in one of the two ways"
        block.error(option, f"`tls_servername` and `%{named[0]}` both name a server", hint, code="conflict")
    return tls._replace(server_name=_host_name(words[0], words[0].text, block))


def _addresses_in_file(token: Token, path: str, why: str, block: BlockContext) -> list[str]:
    """The `nameserver` lines of a file (resolv.conf(5)); `why` it is no address, if it looks like one."""
    try:
        lines = block.sources.read(path).splitlines()
    except FileNotFoundError:
        if "/" in path:
            block.error(token, f"cannot read {path}: no such file", "write an address, or the path of a resolv.conf", code="unreadable")
        elif why:
            block.error(token, why, "write IP[:PORT], an IPv6 address with a port in brackets", code="bad-value")
        else:
            message = f"`{token.text}` is neither an IP address nor a file; host names are not supported yet"
            block.error(token, message, "write the address: it does not need another server to be known", code="unsupported-host-name")
        return []
    except (OSError, UnicodeDecodeError) as problem:
        what = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        block.error(token, f"cannot read {path}: {what}", "write an address, or the path of a resolv.conf", code="unreadable")
        return []
    block.watched.append(WatchedFile(path, LOOK))
    found: list[str] = []
    for number, line in enumerate(lines, start=1):
        match line.split():
            case ["nameserver", name, *_]:
                host = _PERCENT.sub("", name)
                if address_or_none(host):
                    found.append(_written(Endpoint(host, PORT)))
                else:
                    hint = "the line is left out"
                    block.warn(token, f"{path}:{number}: `{name}` is no IP address", hint, code="bad-nameserver")
    return found


def _written(to: Endpoint) -> str:
    """An address and its port in their one way of writing: the same server is asked on the same connections."""
    address = address_or_none(to.host)
    assert address is not None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(Endpoint(str(mapped or address), to.port))

"""The keys of a server block: `[SCHEME://]ZONE[:PORT]`, where a CIDR stands for its reverse zones.

Must not know directives or listeners: which addresses a key is served on is the business of `bind`.
"""

from __future__ import annotations

import re

import msgspec

from clusterdns.names import MOST_NAME, InvalidName, normalise, reverse_zones

SCHEME = "dns"
PORTS = {SCHEME: None, "tls": 853}
"""The schemes that are served, and their usual ports (None: as told by whoever starts the server)."""

_LATER = ("quic", "grpc", "https3", "https", "unix")
_PORT = re.compile(r"[+-]?[0-9]+")
_CIDR = re.compile(r"([0-9a-fA-F:.]*[:.][0-9a-fA-F:.]*)/[0-9]{1,3}")


class Key(msgspec.Struct, frozen=True):
    """One zone on one port."""

    scheme: str
    zone: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.zone}:{self.port}"


class InvalidKey(ValueError):
    """Why a text is no key, what to write instead, and the problem's code."""

    def __init__(self, message: str, hint: str = "", code: str = "bad-key") -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def parse_key(text: str, default_port: int = 53) -> tuple[Key, ...]:
    """What a key asks to serve: one zone, or several for a CIDR that does not end with a label. Raises `InvalidKey`."""
    scheme, rest = _split_scheme(text)
    if scheme not in PORTS:
        hint = "DNS is served in the clear and over TLS: write dns://, tls:// or no scheme"
        raise InvalidKey(f"`{scheme}://` is not supported yet", hint, code="unsupported-scheme")
    zone, port = _split_port(rest)
    number = PORTS[scheme] or default_port if port is None else int(port) if len(port) <= 6 else -1
    if not 0 <= number <= 65535:
        raise InvalidKey(f"`{port}` is no port", "a port is a number from 1 to 65535")
    try:
        return tuple(Key(scheme, origin, number) for origin in _zones(zone))
    except InvalidName as problem:
        raise InvalidKey(f"`{zone}` is no zone: {problem}") from None


def zone_origins(text: str) -> tuple[str, ...]:
    """The zones that an argument of a directive names; a scheme and a port are ignored, as CoreDNS does. Raises `ValueError`."""
    return _zones(_split_port(_split_scheme(text)[1])[0])


def _split_scheme(text: str) -> tuple[str, str]:
    """The scheme, if it is one; other words before `://` belong to the zone."""
    scheme, separator, rest = text.partition("://")
    return (scheme, rest) if separator and scheme in (*PORTS, *_LATER) else (SCHEME, text)


def _split_port(text: str) -> tuple[str, str | None]:
    """The zone and its port. A colon that is not followed by a number belongs to the zone: IPv6 prefixes have them."""
    if not text:
        raise InvalidKey("a key cannot be empty", "write ZONE or ZONE:PORT")
    zone, colon, port = text.rpartition(":")
    if colon and not port:
        raise InvalidKey(f"`{text}` ends where a port should be", "write ZONE or ZONE:PORT")
    return (zone, port) if colon and _PORT.fullmatch(port) else (text, None)


def _zones(text: str) -> tuple[str, ...]:
    """The zone of this name, or the reverse zones of this CIDR."""
    if len(text) > MOST_NAME:
        raise InvalidName(f"a zone has at most {MOST_NAME} characters, this has {len(text)}")
    if prefix := _CIDR.fullmatch(text):
        try:
            zones = reverse_zones(text)
        except ValueError:
            return (normalise(text),)
        if ":" in text and text.startswith((":", "0")):
            raise InvalidKey(f"`{prefix[0]}` is no prefix that can be served", "for all of IPv6 write ip6.arpa")
        return zones
    return (normalise(text),)

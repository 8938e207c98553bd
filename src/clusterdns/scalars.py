"""The scalars of a configuration: they parse, bound and print themselves.

`parse` raises `ValueError` with a sentence that can be shown to the person who wrote the text.
Must not know where the text comes from.
"""

from __future__ import annotations

import re
from functools import total_ordering
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeVar

import msgspec

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_TERM = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")
_MOST_NANOSECONDS = 2**63 - 1

MOST_IN_PLAN = 2**32 - 1
"""The engine's numbers have 32 bits."""
_LONGEST = 100

_MULTIPLES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_QUANTITY = re.compile(r"([0-9]{1,18})(Ki|Mi|Gi|k|M|G|)")


@total_ordering
class Duration(msgspec.Struct, frozen=True):
    """A span of time as Go writes it: `1h2m3.5s`, `300ms`, `0`."""

    nanoseconds: int

    @staticmethod
    def parse(text: str) -> Duration:
        """A duration from its text; a number without a unit is refused, as in CoreDNS."""
        sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
        if rest == "0":
            return Duration(0)
        total, at = 0, 0
        while (term := _TERM.match(rest, at)) and term.end() <= _LONGEST:
            whole, fraction, unit = term[1], term[2] or "", _UNITS[term[3]]
            if not whole and not fraction:
                break
            total += int(whole or 0) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
            at = term.end()
        if not rest or at < len(rest):
            raise ValueError(f"`{text}` is no duration: write a number and a unit, like 30s, 5m or 1h30m")
        if total > _MOST_NANOSECONDS:
            raise ValueError(f"`{text}` is longer than any duration can be (about 292 years)")
        return Duration(sign * total)

    @property
    def seconds(self) -> float:
        """The span in seconds."""
        return self.nanoseconds / 10**9

    @property
    def whole_seconds(self) -> int:
        """How many seconds cover the span, as a number of a plan: a part of one counts as one."""
        return min(-(-self.nanoseconds // 10**9), MOST_IN_PLAN)

    @property
    def whole_milliseconds(self) -> int:
        """The same in milliseconds."""
        return min(-(-self.nanoseconds // 10**6), MOST_IN_PLAN)

    def __lt__(self, other: Duration) -> bool:
        return self.nanoseconds < other.nanoseconds

    def __str__(self) -> str:
        """As Go prints it: the largest unit first, `1m0s`, `1.5s`, `250ms`."""
        sign, rest = ("-" if self.nanoseconds < 0 else ""), abs(self.nanoseconds)
        if rest == 0:
            return "0s"
        if rest < 10**9:
            unit = next(unit for unit in ("ms", "µs", "ns") if rest >= _UNITS[unit])
            return f"{sign}{_decimal(rest, _UNITS[unit])}{unit}"
        minutes, rest = divmod(rest, _UNITS["m"])
        hours, minutes = divmod(minutes, 60)
        text = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
        return f"{sign}{text}{_decimal(rest, _UNITS['s'])}s"


NO_TIME = Duration(0)


@total_ordering
class Size(msgspec.Struct, frozen=True):
    """A number of octets as Kubernetes writes quantities: `512`, `64Ki`, `1M`."""

    octets: int

    @staticmethod
    def parse(text: str) -> Size:
        """A size from its text."""
        if not (quantity := _QUANTITY.fullmatch(text)):
            raise ValueError(f"`{text}` is no size: write a number of octets, with k, M, G, Ki, Mi or Gi behind it if you like")
        return Size(int(quantity[1]) * _MULTIPLES[quantity[2]])

    def __lt__(self, other: Size) -> bool:
        return self.octets < other.octets

    def __str__(self) -> str:
        """With the largest unit that leaves a whole number."""
        for unit in ("Gi", "Mi", "Ki"):
            if self.octets and self.octets % _MULTIPLES[unit] == 0:
                return f"{self.octets // _MULTIPLES[unit]}{unit}"
        return str(self.octets)


class Cidr(msgspec.Struct, frozen=True):
    """A network: `10.0.0.0/8`, `fd00::/8`. Bits behind the prefix are dropped, as in Go."""

    network: IPv4Network | IPv6Network

    @staticmethod
    def parse(text: str) -> Cidr:
        """A network from its text; the prefix length is required, a netmask is refused."""
        address, slash, prefix = text.partition("/")
        if slash and prefix.isascii() and prefix.isdigit() and "%" not in address:
            try:
                return Cidr(ip_network(text, strict=False))
            except ValueError:
                pass
        raise ValueError(f"`{text}` is no network: write an address and a prefix length, like 10.0.0.0/8 or fd00::/8")

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        return address in self.network

    def __str__(self) -> str:
        return str(self.network)


class Endpoint(msgspec.Struct, frozen=True):
    """A host and a port: `127.0.0.1:53`, `[::1]:53`, `:9153` (every address)."""

    host: str
    port: int

    @staticmethod
    def parse(text: str, default_port: int | None = None) -> Endpoint:
        """An endpoint from its text; without a default the port is required."""
        bracketed = re.fullmatch(r"\[([^\[\]]*)\](?::(.*))?", text, re.DOTALL)
        if bracketed:
            host, port = bracketed[1], bracketed[2]
            if address_or_none(host) is None or ":" not in host:
                raise ValueError(f"`{host}` is no IPv6 address; brackets hold one")
        elif text.count(":") > 1 and address_or_none(text) is not None:
            host, port = text, None
        else:
            host, colon, rest = text.partition(":")
            port = rest if colon else None
        if port is None:
            if default_port is None:
                raise ValueError(f"`{text}` has no port: write HOST:PORT, an IPv6 address in brackets")
            return Endpoint(host, default_port)
        return Endpoint(host, parse_port(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_port(text: str) -> int:
    """A port from its text. 0 lets the machine choose one."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError(f"`{text}` is no port: a number from 0 to 65535")
    return int(text)


def parse_integer(text: str) -> int:
    """A whole number from its text."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError(f"`{text}` is no whole number")
    return int(text)


def address_or_none(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address, or none if the text is something else."""
    try:
        return ip_address(text)
    except ValueError:
        return None


Value = TypeVar("Value", int, Duration, Size)


def bounded(value: Value, least: Value | None = None, most: Value | None = None) -> Value:
    """The value itself; raises `ValueError` when it is outside of the bounds."""
    if (least is not None and value < least) or (most is not None and most < value):
        raise ValueError(f"{value} is out of range: {_range(least, most)}")
    return value


def _range(least: object, most: object) -> str:
    """The bounds in words."""
    if most is None:
        return f"at least {least}"
    return f"at most {most}" if least is None else f"from {least} to {most}"


def _decimal(value: int, unit: int) -> str:
    """The value in this unit, without zeros at the end."""
    whole, rest = divmod(value, unit)
    return f"{whole}.{rest:0{len(str(unit)) - 1}}".rstrip("0") if rest else str(whole)

"""What DNS cannot say of the texts in API objects: left out, and reported, never an exception."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

import msgspec

from clusterdns.cluster import Port as ClusterPort
from clusterdns.cluster import Ref
from clusterdns.zones import Port


class Oddity(msgspec.Struct, frozen=True):
    """Something in an object that is left out of its records: `field` is the path in the object as the API writes it."""

    object: Ref
    field: str
    message: str


Report = Callable[[Oddity], None]


def unreported(oddity: Oddity) -> None:
    """The report of those who do not ask."""


def is_label(text: str) -> bool:
    """Whether the text can be one label of a name, as it stands."""
    return _LABEL.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether the text can be a name: labels of letters, digits, hyphens and underscores, a trailing dot allowed."""
    text = text.removesuffix(".")
    return len(text) <= _LONGEST_NAME and all(is_label(label) for label in text.lower().split("."))


def canonical_address(text: str) -> str | None:
    """The address as RFC 5952 writes it, or None. IPv4 in IPv6 clothes and scoped addresses are none that DNS could answer."""
    if _IPV4.fullmatch(text):
        return text
    if ":" not in text or "%" in text:
        return None
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return None
    return None if address.ipv4_mapped else str(address)


def sayable_addresses(texts: tuple[str, ...], where: Ref, field: str, report: Report) -> tuple[str, ...]:
    """The addresses among these texts, as RFC 5952 writes them; the others are reported, but for empty ones: they are none yet."""
    sayable = []
    for index, text in enumerate(texts):
        if address := canonical_address(text):
            sayable.append(address)
        elif text:
            report(Oddity(where, f"{field}[{index}]", f"{text!r} is not an address"))
    return tuple(sayable)


def dashed(text: str) -> str:
    """An address, or a name, as one label. A label that would end in a hyphen gets a zero, as no hostname may end in one (H4)."""
    label = text.lower().replace(".", "-").replace(":", "-")
    return label + "0" if ":" in text and label.endswith("-") else label


def sayable_ports(ports: tuple[ClusterPort, ...], where: Ref, field: str, report: Report) -> tuple[Port, ...]:
    """The ports that SRV records can have, in lower case; the others are reported."""
    sayable, unsayable = _sorted_out(ports, where.kind == "EndpointSlice")
    for part, message in unsayable:
        report(Oddity(where, f"{field}{part}", message))
    return sayable


@lru_cache(maxsize=1024)
def _sorted_out(ports: tuple[ClusterPort, ...], may_have_none: bool) -> tuple[tuple[Port, ...], tuple[tuple[str, str], ...]]:
    """The ports as SRV records have them, and where and why others cannot be in one. Thousands of objects have the same ports."""
    sayable, unsayable = [], []
    for index, port in enumerate(ports):
        name, protocol = port.name.lower(), port.protocol.lower()
        if name and not is_label(name):
            unsayable.append((f"[{index}].name", f"{port.name!r} cannot be a label of a DNS name"))
        elif not is_label(protocol):
            unsayable.append((f"[{index}].protocol", f"{port.protocol!r} cannot be a label of a DNS name"))
        elif not (port.number == -1 and may_have_none) and not 0 < port.number < 65536:
            unsayable.append((f"[{index}].port", f"{port.number} is not a port number (1 to 65535)"))
        else:
            sayable.append(Port(name, protocol, port.number))
    return tuple(sayable), tuple(unsayable)


# Without a zone there is no telling how long a name may be; this is what DNS allows with the shortest one.
_LONGEST_NAME = 253
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")

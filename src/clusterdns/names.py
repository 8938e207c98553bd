"""DNS names as text: absolute, lower case, ASCII.

The text of a name is the zone file's (RFC 1035 5.1): labels end in dots, `\\.` is a dot inside a label, `\\DDD` any octet.
Knows DNS. Must not know the Corefile or Kubernetes.
"""

from __future__ import annotations

import re

ROOT = "."

MOST_NAME = 255  # octets on the wire, with a length before each label and the root's zero (RFC 1035 2.3.4)
MOST_LABEL = 63

_PIECE = re.compile(r"\\([0-9]{3})|\\(.)|(\.)|(.)", re.DOTALL)
_PREFERRED = re.compile(r"(([a-z]([a-z0-9-]*[a-z0-9])?)\.)+")


class InvalidName(ValueError):
    """Why a text is no DNS name."""


def normalise(text: str) -> str:
    """The one way to write this name; raises `InvalidName`. A missing dot at the end is added: there is no search list here."""
    if text == ROOT:
        return ROOT
    if not text:
        raise InvalidName("a name cannot be empty; the root is `.`")
    labels = [_canonical(label) for label in _split(text)]
    size = sum(1 + len(label) for label in labels) + 1
    if size > MOST_NAME:
        raise InvalidName(f"a name has at most {MOST_NAME} octets, this has {size}")
    return "".join(_printed(label) + "." for label in labels)


def is_subdomain(name: str, zone: str) -> bool:
    """Whether a normalised name is the zone or lies below it."""
    if zone == ROOT or name == zone:
        return True
    return name.endswith("." + zone) and _backslashes_before(name, len(name) - len(zone) - 1) % 2 == 0


def is_reverse(name: str) -> bool:
    """Whether a normalised name lies in the address trees (RFC 1035 3.5, RFC 3596 2.5)."""
    return is_subdomain(name, "in-addr.arpa.") or is_subdomain(name, "ip6.arpa.")


def is_preferred(name: str) -> bool:
    """Whether a normalised name keeps to letters, digits and hyphens (RFC 1035 2.3.1); the root and reverse names count as such."""
    return name == ROOT or is_reverse(name) or _PREFERRED.fullmatch(name) is not None


def reverse_zones(cidr: str) -> tuple[str, ...]:
    """The reverse zones of `10.0.0.0/8`; several when the prefix does not end with a label. Raises `ValueError`."""
    from ipaddress import ip_network  # most Corefiles have no CIDR in a key

    network = ip_network(cidr, strict=False)
    bits = 8 if network.version == 4 else 4
    prefix = -(-network.prefixlen // bits) * bits
    total = network.max_prefixlen // bits
    return tuple(_suffix(subnet[0].reverse_pointer, total - prefix // bits) for subnet in network.subnets(new_prefix=prefix))


def _split(text: str) -> list[list[int]]:
    """The labels as octets; a final dot ends the last one."""
    labels: list[list[int]] = []
    label: list[int] = []
    end = len(text)
    for piece in _PIECE.finditer(text):
        octet, escaped, dot, plain = piece.groups()
        if dot:
            if not label:
                raise InvalidName("a label cannot be empty: two dots in a row, or a dot at the start")
            labels.append(label)
            label = []
        elif octet:
            if int(octet) > 255:
                raise InvalidName(f"`\\{octet}` is no octet: at most `\\255`")
            label.append(int(octet))
        elif plain == "\\" and piece.end() == end:
            raise InvalidName("a backslash at the end escapes nothing")
        else:
            label.extend((escaped or plain).encode("utf-8", "surrogateescape"))
    if label:
        labels.append(label)
    return labels


def _canonical(label: list[int]) -> bytes:
    """A label in lower case; DNS folds ASCII only (RFC 4343)."""
    if len(label) > MOST_LABEL:
        raise InvalidName(f"a label has at most {MOST_LABEL} octets, `{_printed(bytes(label))}` has {len(label)}")
    return bytes(label).lower()


def _printed(label: bytes) -> str:
    """A label as text: dots, backslashes and what cannot be printed are escaped."""
    return "".join(f"\\{chr(octet)}" if octet in b".\\" else chr(octet) if 33 <= octet <= 126 else f"\\{octet:03}" for octet in label)


def _backslashes_before(text: str, index: int) -> int:
    """How many backslashes stand directly before this place."""
    return index - len(text[:index].rstrip("\\"))


def _suffix(name: str, skip: int) -> str:
    """A dotted name without its first labels, absolute."""
    return ".".join(name.split(".")[skip:]) + "."

"""What owners mean, spelled out record by record: slow and plain, the oracle of the tests.

`expand` writes down every record that a set of owners stands for; `Reference` looks questions up in that, by the rules of
docs and recordings, sharing nothing with the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

from clusterdns.zones import ANY, Exists, Member, MemberSet, Owner, Port, RRset, Synthesis

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV = 1, 2, 5, 6, 12, 15, 16, 28, 33

Record = tuple[str, int, int, str]
"""Owner, ttl, type and data, all names absolute."""

Shared = tuple[tuple[Port, ...], list[Member], str]
"""Ports, members that have them, and the full name below which these live."""


@dataclass
class Name:
    """One name: its records, the types for which it seems not to exist, and the glue of its SRV records."""

    records: set[Record] = field(default_factory=set)
    absent: frozenset[int] = frozenset()
    glue: set[Record] = field(default_factory=set)
    synthesis: int | None = None


@dataclass
class Zone:
    """All names (relative), and PTR targets by address: those of owners, which are answered alone, and those of members."""

    names: dict[str, Name] = field(default_factory=dict)
    owned: dict[str, set[Record]] = field(default_factory=dict)
    reverse: dict[str, set[Record]] = field(default_factory=dict)


def expand(owners: Iterable[Owner], origin: str = "cluster.local.") -> Zone:
    """Every record that these owners stand for, under an origin."""
    owners = [owner for owner in owners if owner.data]
    zone = Zone({owner.name: Name(absent=frozenset(owner.absent)) for owner in owners})
    for owner in owners:
        name = zone.names[owner.name]
        for primitive in owner.data:
            match primitive:
                case RRset(rtype, ttl, rdata):
                    texts = [_absolute(text, origin) if rtype in (NS, CNAME, PTR) else text for text in rdata]
                    name.records |= {(_full(owner.name, origin), ttl, rtype, text) for text in texts}
                case Synthesis(ttl):
                    name.synthesis = ttl
                case Exists():
                    pass
                case MemberSet():
                    _expand_members(zone, owner, primitive, origin)
    return zone


def label_of(member: Member) -> str:
    """The label of a member's own name."""
    if member.label:
        return member.label
    label = str(ip_address(member.address)).replace(".", "-").replace(":", "-")
    return label + "0" if label.endswith("-") else label


class Reference:
    """Answers questions from owners."""

    def __init__(
        self,
        owners: Iterable[Owner],
        origin: str = "cluster.local.",
        reverse: Iterable[str] = ("in-addr.arpa.", "ip6.arpa."),
        bare_ports: bool = True,
    ) -> None:
        self.zone = expand(owners, origin)
        self.origin = origin
        self.bare_ports = bare_ports
        self.reverse = tuple(reverse)

    def answer(self, qname: str, qtype: int) -> tuple[str, set[Record], set[Record]]:
        """NOERROR, NODATA or NXDOMAIN, with answer and additional. Owner names are in lower case; the SOA's data is left empty."""
        qname = qname.lower()
        if qname.endswith("." + self.origin) or qname == self.origin:
            return self._forward(qname, qtype)
        return self._reverse(qname, qtype)

    def _forward(self, qname: str, qtype: int) -> tuple[str, set[Record], set[Record]]:
        relative = qname.removesuffix(self.origin).removesuffix(".")
        if qtype == SOA:
            return ("NOERROR", {(qname, 0, SOA, "")}, set()) if not relative else ("NODATA", set(), set())
        name = self._find(relative)
        if name is None or qtype in name.absent or (ANY in name.absent and not any(record[2] == qtype for record in name.records)):
            return "NXDOMAIN", set(), set()
        answer = {(qname, *record[1:]) for record in self._records(name, qname, qtype, ())}
        glue = set(name.glue) if qtype == SRV else set()
        if qtype == NS:
            glue = {address for record in answer for address in self._addresses(record[3])}
        return ("NOERROR" if answer else "NODATA"), answer | self._chased(name, qname, qtype), glue

    def _find(self, relative: str) -> Name | None:
        """The name itself, or one with underscores in place of bare port names, or a synthesised or wildcard one."""
        if relative in self.zone.names:
            return self.zone.names[relative]
        labels = relative.split(".")
        if len(labels) > 2 and (self.bare_ports or labels[0].startswith("_") or labels[1].startswith("_")):
            port = ".".join(("_" + labels[0].removeprefix("_"), "_" + labels[1].removeprefix("_"), *labels[2:]))
            if port in self.zone.names:
                return self.zone.names[port]
        above = self.zone.names.get(".".join(labels[1:]))
        if above and above.synthesis is not None and (address := _undashed(labels[0])):
            return _synthesised(address, _full(relative, self.origin), above.synthesis)
        for skip in range(1, len(labels)):
            if found := self.zone.names.get(".".join(("*", *labels[skip:]))):
                return found
        return None

    def _records(self, name: Name, qname: str, qtype: int, seen: tuple[str, ...]) -> set[Record]:
        """The records of one type, or the alias that takes their place, if it leads to some."""
        aliases = {record for record in name.records if record[2] == CNAME}
        if not aliases or qtype == CNAME:
            return {record for record in name.records if record[2] == qtype}
        return {alias for alias in aliases if qtype in (A, AAAA) and self._leads(qname, alias[3], qtype, seen)}

    def _leads(self, qname: str, target: str, qtype: int, seen: tuple[str, ...]) -> bool:
        """Whether following an alias gives anything; what is outside of this zone is not our business here."""
        target = target.lower()
        if target == qname or target in seen:
            return False
        if not target.endswith("." + self.origin):
            return True
        name = self._find(target.removesuffix("." + self.origin))
        return name is not None and bool(self._records(name, target, qtype, (*seen, target)))

    def _chased(self, name: Name, qname: str, qtype: int) -> set[Record]:
        """The records behind the aliases of a name, inside this zone."""
        chased: set[Record] = set()
        for alias in self._records(name, qname, qtype, ()) if qtype in (A, AAAA) else ():
            target = alias[3].lower()
            if alias[2] == CNAME and target.endswith("." + self.origin):
                rest = self._find(target.removesuffix("." + self.origin))
                assert rest is not None
                chased |= {(target, *record[1:]) for record in self._records(rest, target, qtype, (target,))}
                chased |= self._chased(rest, target, qtype)
        return chased

    def _addresses(self, host: str) -> set[Record]:
        """The addresses of a name server."""
        name = self._find(host.removesuffix("." + self.origin))
        return {record for record in name.records if record[2] in (A, AAAA)} if name else set()

    def _reverse(self, qname: str, qtype: int) -> tuple[str, set[Record], set[Record]]:
        relative = next(qname.removesuffix(zone).removesuffix(".") for zone in self.reverse if qname.endswith(zone))
        if qtype == SOA:
            return "NODATA", set(), set()
        address = _address_of(qname)
        if qtype == PTR and address:
            found = self.zone.owned.get(address) or self.zone.reverse.get(address, set())
            one = {(qname, *min(found)[1:])} if address in self.zone.owned else {(qname, *record[1:]) for record in found}
            return ("NOERROR", one, set()) if one else ("NXDOMAIN", set(), set())
        return ("NODATA" if qtype != TXT and relative in ("", "svc", "pod") else "NXDOMAIN"), set(), set()


def _expand_members(zone: Zone, owner: Owner, members: MemberSet, origin: str) -> None:
    """The records of a member set: of the owner, of each member, and of each port."""
    ttl, own = members.ttl, _full(owner.name, origin)
    groups = [(group.ports, list(group.members), _full(group.base, origin) if group.base else own) for group in members.groups]
    listed = groups if members.listed else []
    _expand_one(zone.names[owner.name], members, listed, own, own, None)
    if members.alone:
        return
    for port in {port for ports in (members.ports, *(ports for ports, *_ in listed)) for port in ports if port.name}:
        name = zone.names.setdefault(f"_{port.name}._{port.protocol}.{owner.name}", Name(absent=frozenset(owner.absent)))
        _expand_one(name, members, listed, _full(f"_{port.name}._{port.protocol}.{owner.name}", origin), own, port)
    for address in members.addresses:
        zone.owned.setdefault(address, set()).add(("", ttl, PTR, own))
    below = [group for group, given in zip(groups, members.groups, strict=True) if not given.base]
    for label in {label_of(member) for _, some, _ in below for member in some}:
        full = f"{label}.{owner.name}"
        called = [(ports, [member for member in some if label_of(member) == label], home) for ports, some, home in below]
        if full not in zone.names:  # what an owner of that name says comes first
            name = zone.names[full] = Name()
            name.records |= set(_member_records(called, ttl, _full(full, origin), name.glue, None))
        for _, some, _ in called:
            for member in some:
                if not member.address.endswith("."):
                    zone.reverse.setdefault(member.address, set()).add(("", ttl, PTR, _full(full, origin)))


def _expand_one(name: Name, members: MemberSet, groups: list[Shared], full: str, own_name: str, port: Port | None) -> None:
    """The records of the owner, or of one of its ports."""
    ttl = members.ttl
    ports = [own for own in members.ports if port is None or _is(own, port)]
    share = len(members.addresses) * (len(ports) or (not members.ports and port is None)) + _count(groups, port)
    if ports or not members.ports:
        name.records |= {(full, ttl, _type_of(address), address) for address in members.addresses if port is None or ports}
    for own in ports:
        if own.number >= 0 and members.addresses:
            name.records.add((full, ttl, SRV, f"0 {max(1, 100 // share)} {own.number} {own_name}"))
            name.glue |= {(own_name, ttl, _type_of(address), address) for address in members.addresses}
    name.records |= set(_member_records(groups, ttl, full, name.glue, port, share))


def _member_records(
    groups: list[Shared],
    ttl: int,
    full: str,
    glue: set[Record],
    port: Port | None,
    share: int = 0,
) -> Iterator[Record]:
    """The records that members give to a name; their weight is an equal share of 100."""
    share = share or _count(groups, port)
    for ports, members, home in groups:
        matching = [own for own in ports if port is None or _is(own, port)]
        if port is not None and not matching:
            continue
        for member in members:
            yield full, ttl, _type_of(member.address), member.address
            if not member.address.endswith("."):
                target = f"{label_of(member)}.{home}"
                numbers = [own.number for own in matching if own.number >= 0]
                yield from ((full, ttl, SRV, f"0 {max(1, 100 // share)} {number} {target}") for number in numbers)
                if numbers:
                    glue.add((target, ttl, _type_of(member.address), member.address))


def _count(groups: list[Shared], port: Port | None) -> int:
    """How many pairs of an address and a port there are; no ports at all count as one."""
    return sum(len(members) * (sum(port is None or _is(own, port) for own in ports) or (port is None)) for ports, members, _ in groups)


def _is(port: Port, wanted: Port) -> bool:
    return (port.name, port.protocol) == (wanted.name, wanted.protocol)


def _type_of(address: str) -> int:
    return CNAME if address.endswith(".") else AAAA if ":" in address else A


def _full(relative: str, origin: str) -> str:
    return f"{relative}.{origin}" if relative else origin


def _absolute(text: str, origin: str) -> str:
    return text if text.endswith(".") else _full(text, origin)


def _undashed(label: str) -> IPv4Address | IPv6Address | None:
    """The address that a label with dashes means."""
    dots = label.count("-") == 3 and "--" not in label
    try:
        return ip_address(label.replace("-", "." if dots else ":"))
    except ValueError:
        return None


def _synthesised(address: IPv4Address | IPv6Address, full: str, ttl: int) -> Name:
    """A name made up for an address; its SRV record is as recorded."""
    record = (full, ttl, _type_of(str(address)), str(address))
    return Name({record, (full, ttl, SRV, f"0 100 0 {full}")}, glue={record})


def _address_of(qname: str) -> str | None:
    """The address of a reverse name, if it is a whole one."""
    if qname.endswith(".in-addr.arpa."):
        text = ".".join(reversed(qname.removesuffix(".in-addr.arpa.").split(".")))
    else:
        digits = "".join(reversed(qname.removesuffix(".ip6.arpa.").split(".")))
        text = ":".join(digits[at : at + 4] for at in range(0, len(digits), 4))
    try:
        return str(ip_address(text))
    except ValueError:
        return None

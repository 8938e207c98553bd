"""A plugin: names that have their address in them, and a way to send one network's clients elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from clusterdns.plugin import Answer, Ask, Query, Reply


def answer_dashed(query: Query) -> Reply:
    """`10-0-0-1.dashed.example.org` is 10.0.0.1: the first label is the address. Other names are the next directive's."""
    label, _, _ = query.name.partition(".")
    address = address_of(label.replace("-", ".")) or address_of(label.replace("-", ":"))
    if address is None:
        return None
    kind = "A" if address.version == 4 else "AAAA"
    return Answer([f"{query.name} 300 IN {kind} {address}"] if query.type == kind else [])


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address, if it is one."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def move(network: str, zone: str, to: str) -> Callable[[Query], Awaitable[Reply]]:
    """Makes a plugin from the arguments in the Corefile: clients of `network` get the names of `to` for those of `zone`."""
    clients = ip_network(network)

    async def answer(query: Query) -> Reply:
        if ip_address(query.client) not in clients or not query.name.endswith(f".{zone}"):
            return None
        await asyncio.sleep(0)  # where a real one would ask a database
        return Ask(query.name.removesuffix(zone) + to)

    return answer

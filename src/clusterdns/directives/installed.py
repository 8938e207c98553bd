"""Directives of other packages: what they name in the group of entry points `clusterdns.directives`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from clusterdns.directives.block import Directive

GROUP = "clusterdns.directives"


@cache
def installed_directives() -> Mapping[str, Directive]:
    """By name. Looked for only when a Corefile has a word that is no directive of ours. Raises what their modules raise."""
    from importlib.metadata import entry_points  # reads the descriptions of all installed packages

    found = {point.name: point.load() for point in entry_points(group=GROUP)}
    return {name: directive for name, directive in found.items() if isinstance(directive, Directive)}

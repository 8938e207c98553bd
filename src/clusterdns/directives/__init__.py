"""The ordered table of directives: the one place that decides in which order a block's ops run.

The order of a Corefile's lines does not matter, the order of this table does (the role of CoreDNS's `plugin.cfg`). To add a
directive: write `directives/<name>.py` with a `DIRECTIVE` and set its row to `HERE`.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Final

from clusterdns.directives.block import Directive
from clusterdns.directives.installed import installed_directives

HERE: Final = True
"""There is a module of that name in this package."""

LATER: Final = False
"""CoreDNS has it, we do not yet: a Corefile that uses it is refused."""

TABLE: dict[str, bool] = {
    "root": HERE,
    "metadata": HERE,
    "geoip": LATER,
    "cancel": HERE,
    "proxyproto": LATER,
    "quic": LATER,
    "grpc_server": LATER,
    "https": LATER,
    "https3": LATER,
    "timeouts": HERE,
    "multisocket": HERE,
    "reload": HERE,
    "nsid": HERE,
    "bufsize": HERE,
    "bind": HERE,
    "debug": HERE,
    "trace": LATER,
    "ready": HERE,
    "health": HERE,
    "pprof": LATER,
    "shed": LATER,
    "prometheus": HERE,
    "errors": HERE,
    "log": HERE,
    "dnstap": LATER,
    "local": HERE,
    "dns64": HERE,
    "any": HERE,
    "chaos": HERE,
    "loadbalance": HERE,
    "tsig": LATER,
    "rewrite": HERE,
    "autopath": LATER,
    "acl": HERE,
    "cache": HERE,
    "header": HERE,
    "dnssec": LATER,
    "tls": HERE,
    "minimal": HERE,
    "python": HERE,
    "template": HERE,
    "transfer": LATER,
    "hosts": HERE,
    "route53": LATER,
    "azure": LATER,
    "clouddns": LATER,
    "k8s_external": LATER,
    "kubernetes": HERE,
    "file": LATER,
    "auto": LATER,
    "secondary": LATER,
    "etcd": LATER,
    "loop": HERE,
    "forward": HERE,
    "grpc": LATER,
    "erratic": LATER,
    "whoami": HERE,
    "on": LATER,
    "sign": LATER,
    "view": HERE,
    "nomad": LATER,
}

FILTERS = frozenset({"view"})
"""Directives that choose among queries: a block that has one may serve what another block serves already (rule G7)."""


SETTINGS = frozenset(
    {
        *("root", "proxyproto", "quic", "grpc_server", "https", "https3", "timeouts", "multisocket", "reload", "bind", "debug"),
        *("ready", "health", "pprof", "tls", "on", "sign"),
    }
)
"""Directives that see no queries: metrics do not show them."""


def is_directive(name: str) -> bool:
    """Whether there is a directive of this name: one of CoreDNS's, of ours, or of an installed package."""
    return name in TABLE or name in installed_directives()


def in_order(names: Collection[str]) -> list[str]:
    """Directives in the order in which their ops run: that of the table; those of other packages behind the one that they name."""
    places = {name: place for place, name in enumerate(TABLE)}
    own = [name for name in names if name in places]
    others = [name for name in names if name not in places]
    behind = {name: places.get(installed_directives()[name].behind, len(places)) for name in others}
    return sorted([*own, *others], key=lambda name: (places.get(name, behind.get(name, 0)), name in behind, name))


def load_directive(name: str) -> Directive | None:
    """The directive of this name, if it is here. Only those that a Corefile uses are imported."""
    if name not in TABLE:
        return installed_directives().get(name)
    if TABLE[name] is not HERE:
        return None
    directive = import_module(f"clusterdns.directives.{name}").DIRECTIVE
    assert isinstance(directive, Directive)
    return directive

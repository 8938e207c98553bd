"""The ordered table of directives: the one place that decides in which order a block's ops run.

The order of a Corefile's lines does not matter, the order of this table does (the role of CoreDNS's `plugin.cfg`). To add a
directive: write `directives/<name>.py` with a `DIRECTIVE` and set its row to `HERE`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from clusterdns.directives.block import BlockContext, Directive, Feed, ReloadOptions

__all__ = ["FILTERS", "HERE", "LATER", "TABLE", "BlockContext", "Directive", "Feed", "ReloadOptions", "load_directive"]

HERE: Final = True
"""There is a module of that name in this package."""

LATER: Final = False
"""CoreDNS has it, we do not yet: a Corefile that uses it is refused."""

TABLE: dict[str, bool] = {
    "root": HERE,
    "metadata": LATER,
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
    "prometheus": LATER,
    "errors": HERE,
    "log": HERE,
    "dnstap": LATER,
    "local": HERE,
    "dns64": HERE,
    "any": HERE,
    "chaos": HERE,
    "loadbalance": HERE,
    "tsig": LATER,
    "rewrite": LATER,
    "autopath": LATER,
    "acl": HERE,
    "cache": HERE,
    "header": HERE,
    "dnssec": LATER,
    "tls": LATER,
    "minimal": HERE,
    "python": HERE,
    "template": LATER,
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
    "loop": LATER,
    "forward": HERE,
    "grpc": LATER,
    "erratic": LATER,
    "whoami": HERE,
    "on": LATER,
    "sign": LATER,
    "view": LATER,
    "nomad": LATER,
}

FILTERS = frozenset({"view"})
"""Directives that choose among queries: a block that has one may serve what another block serves already (rule G7)."""


def load_directive(name: str) -> Directive | None:
    """The directive of this name, if it is here. Only those that a Corefile uses are imported."""
    if TABLE.get(name) is not HERE:
        return None
    directive = import_module(f"clusterdns.directives.{name}").DIRECTIVE
    assert isinstance(directive, Directive)
    return directive

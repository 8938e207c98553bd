"""`kubernetes`: the names of a cluster's Services and pods."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

import msgspec

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, choice, duration, first_argument, integer, options, zones
from clusterdns.names import ROOT, is_reverse, is_subdomain
from clusterdns.plan.labels import AddressLabel
from clusterdns.plan.ops import Origin, ZoneOp
from clusterdns.records.apex import soa
from clusterdns.records.labels import client_labels, name_grammar
from clusterdns.records.options import ApiOptions, ClusterOptions, PodMode
from clusterdns.records.selectors import format_selector, parse_selector
from clusterdns.scalars import Duration

POD_MODES: dict[str, PodMode] = {"disabled": "disabled", "insecure": "insecure", "verified": "verified"}
MOST_TTL = 3600

# These say what is answered, those how to reach the API server.
CONTENT = (
    *("manifests", "pods", "ttl", "namespaces", "namespace_labels", "labels", "endpoint_pod_names"),
    *("noendpoints", "zonal", "ignore", "fallthrough", "multicluster"),
)
API = ("endpoint", "tls", "kubeconfig", "apiserver_qps", "apiserver_burst", "apiserver_max_inflight", "startup_timeout")

EXISTING = ["", "svc", "pod"]
"""Names that exist below every zone of a cluster, the reverse ones included."""


def compile_kubernetes(lines: Sequence[Line], block: BlockContext) -> None:
    """`kubernetes [ZONES...] { manifests PATH... pods MODE ttl SECONDS namespaces NAME... fallthrough [ZONES...] ... }`"""
    line = lines[0]
    origins = tuple(dict.fromkeys(zones(line.args, block)))
    _check_origins(line, origins, block)
    wanted, api = ClusterOptions(), ApiOptions()
    fallthrough: tuple[str, ...] = ()
    multicluster: tuple[str, ...] = ()
    for option in options(line, block, CONTENT + API):
        if option.name.text in API:
            api = _with_api_option(api, option, block)
        elif option.name.text == "fallthrough":
            fallthrough = zones(option.args, block) if option.args else (ROOT,)
        elif option.name.text == "multicluster":
            multicluster = _multicluster(option, origins, block)
        else:
            wanted = _with_option(wanted, option, block)
    _check_together(line, wanted, block)
    clients = client_labels(block.labels.mentioned)
    if wanted.pods == "verified":
        wanted = msgspec.structs.replace(wanted, client_labels=clients)
    for label in clients:
        block.labels.lack(label, "only `kubernetes` with `pods verified` knows whose address it is")
    if not wanted.manifests:
        wanted = msgspec.structs.replace(wanted, api=api)
    # Zones of several clusters come first: they may lie below the others, and never above.
    of_all = tuple(origin for origin in origins if any(is_subdomain(origin, zone) for zone in multicluster) and not is_reverse(origin))
    own = tuple(origin for origin in origins if origin not in of_all)
    if of_all:
        known = () if own else wanted.client_labels
        of_others = msgspec.structs.replace(wanted, multicluster=True, zonal=False, noendpoints=False, client_labels=known)
        _serve(line, of_all, of_others, fallthrough, block)
    if own:
        _serve(line, own, wanted, fallthrough, block)


def _serve(line: Line, origins: Sequence[str], wanted: ClusterOptions, fallthrough: Sequence[str], block: BlockContext) -> None:
    """Answer in these zones from what the options make."""
    primary = next((index for index, origin in enumerate(origins) if not is_reverse(origin)), -1)
    zone = block.feed_zone("kubernetes", wanted, origins[primary])
    block.labels.offer_names(name_grammar(origins, zonal=wanted.zonal, multicluster=wanted.multicluster))
    for at, label in enumerate(wanted.client_labels):
        block.labels.offer(label, AddressLabel(zone, at))
    block.emit(
        ZoneOp(
            zone=zone,
            origins=[Origin(origin, reverse=is_reverse(origin)) for origin in origins],
            primary=primary,
            soa=soa(wanted),
            fallthrough=list(fallthrough),
            exists=EXISTING,
            soa_nodata=True,
            bare_ports=not wanted.multicluster,
            name="kubernetes",
            span=block.span(line),
        )
    )


def _with_option(wanted: ClusterOptions, option: Line, block: BlockContext) -> ClusterOptions:
    """The options with one more line taken in; one that is wrong is reported and changes nothing."""
    replace = msgspec.structs.replace
    match option.name.text:
        case "manifests":
            tokens = arguments(option, block, "manifests PATH...") or ()
            paths = (posixpath.normpath(posixpath.join(block.directory, token.text)) for token in tokens)
            return replace(wanted, manifests=(*wanted.manifests, *paths))
        case "pods":
            tokens = arguments(option, block, "pods MODE") or ()
            modes = [POD_MODES[mode] for token in tokens if (mode := choice(token, block, POD_MODES))]
            return replace(wanted, pods=modes[0]) if modes else wanted
        case "ttl":
            token = first_argument(option, block, "ttl SECONDS")
            ttl = integer(token, block, 0, MOST_TTL) if token else None
            return wanted if ttl is None else replace(wanted, ttl=ttl)
        case "namespaces":
            names = {token.text for token in arguments(option, block, "namespaces NAME...") or ()}
            return replace(wanted, namespaces=tuple(sorted(names.union(wanted.namespaces))))
        case "namespace_labels":
            return replace(wanted, namespace_labels=_selector(option, block))
        case "labels":
            return replace(wanted, labels=_selector(option, block))
        case "ignore":
            token = first_argument(option, block, "ignore empty_service")
            return replace(wanted, ignore_empty_service=True) if token and choice(token, block, ("empty_service",)) else wanted
        case flag:
            arguments(option, block, flag)
            return replace(wanted, **{flag: True})


def _multicluster(option: Line, origins: Sequence[str], block: BlockContext) -> tuple[str, ...]:
    """The zones whose Services are those of several clusters: some of the directive's own. No words: none."""
    found = zones(option.args, block) if option.args else ()
    for zone in found:
        if zone not in origins:
            message = f"is not authoritative for the multicluster zone {zone}"
            hint = f"the zones of this line are {', '.join(origins)}: add it to them"
            block.error(option, message, hint, code="unknown-zone")
        elif is_reverse(zone):
            hint = "addresses have the names of this cluster's own Services: remove it here"
            block.warn(option, f"a reverse zone, {zone}, holds no names of Services", hint, code="no-effect")
    return found


def _selector(option: Line, block: BlockContext) -> str:
    """A label selector in its canonical text; it is one expression, however many words it has."""
    words = arguments(option, block, f"{option.name.text} SELECTOR...") or ()
    try:
        return format_selector(parse_selector(" ".join(token.text for token in words)))
    except ValueError as problem:
        message = f"unable to parse the label selector: {problem}"
        block.error(words[0], message, "for example: environment in (staging, qa),app=nginx", code="bad-value")
        return ""


def _check_origins(line: Line, origins: Sequence[str], block: BlockContext) -> None:
    """Names of Services need a zone to live in, and questions for each zone have to come here."""
    if origins and all(map(is_reverse, origins)):
        hint = "write the cluster's domain first: kubernetes cluster.local in-addr.arpa ip6.arpa"
        block.error(line, "a non-reverse zone name must be used", hint, code="no-forward-zone")
    for origin in origins:
        if not any(is_subdomain(origin, zone) or is_subdomain(zone, origin) for zone in block.zones):
            hint = f"this block serves {', '.join(block.zones)}: add the zone to its keys"
            block.warn(line, f"no question for `{origin}` comes here", hint, code="unreachable-zone")


def _check_together(line: Line, wanted: ClusterOptions, block: BlockContext) -> None:
    """Options that need, or exclude, each other."""
    if wanted.namespaces and wanted.namespace_labels:
        block.error(line, "namespaces and namespace_labels cannot both be set", "name the namespaces, or select them", code="conflict")
    if wanted.zonal and wanted.noendpoints:
        block.error(line, "zonal needs the endpoints that noendpoints turns off", "remove one of them", code="conflict")
    for option in line.block or ():
        if wanted.manifests and option.name.text in API:
            hint = "the objects are read from manifests; remove one or the other"
            block.warn(option, f"`{option.name.text}` has no effect", hint, code="no-effect")


def _with_api_option(api: ApiOptions, option: Line, block: BlockContext) -> ApiOptions:
    """How to reach the API server, with one more line taken in."""
    replace = msgspec.structs.replace
    match option.name.text:
        case "endpoint":
            tokens = arguments(option, block, "endpoint URL...") or ()
            for extra in tokens[1:]:
                block.warn(extra, "only the first endpoint is used", "multiple endpoints are deprecated", code="ignored-word")
            return replace(api, endpoint=tokens[0].text) if tokens else api
        case "tls":
            tokens = arguments(option, block, "tls CERT KEY CACERT") or ()
            return replace(api, tls=tuple(token.text for token in tokens)) if tokens else api
        case "kubeconfig":
            tokens = arguments(option, block, "kubeconfig FILE [CONTEXT]") or ()
            return replace(api, kubeconfig=tokens[0].text, context="".join(token.text for token in tokens[1:])) if tokens else api
        case "startup_timeout":
            first = first_argument(option, block, "startup_timeout DURATION")
            limit = duration(first, block, least=Duration(0)) if first else None
            return replace(api, startup_seconds=limit.seconds) if limit else api
        case "apiserver_qps":
            return replace(api, qps=sum(_rate(token, block) for token in arguments(option, block, "apiserver_qps NUMBER") or ()))
        case "apiserver_burst":
            return replace(api, burst=_count(option, block, "apiserver_burst NUMBER"))
        case _:
            return replace(api, inflight=_count(option, block, "apiserver_max_inflight NUMBER"))


def _count(option: Line, block: BlockContext, syntax: str) -> int:
    """A number of requests; 0, no limit, for what is none."""
    return sum(integer(token, block, least=0) or 0 for token in arguments(option, block, syntax) or ())


def _rate(token: Token, block: BlockContext) -> float:
    """A number of requests a second; 0, no limit, for what is none."""
    try:
        rate = float(token.text)
    except ValueError:
        block.error(token, f"`{token.text}` is no number", code="bad-value")
        return 0.0
    if not 0 <= rate < float("inf"):
        block.error(token, f"apiserver_qps must be at least 0, not {token.text}", code="bad-value")
        return 0.0
    return rate


DIRECTIVE = Directive(name="kubernetes", compile=compile_kubernetes, once=True)

"""`loadbalance`: the order of the addresses in an answer, by chance, by weight or by preferred network."""

from __future__ import annotations

from collections.abc import Sequence

from clusterdns.corefile.tree import Line, Token
from clusterdns.directives.block import BlockContext, Directive, WatchedFile
from clusterdns.directives.options import arguments, choice, cidr, duration, options
from clusterdns.names import InvalidName, normalise
from clusterdns.plan.ops import ShuffleOp
from clusterdns.scalars import Duration, address_or_none, bounded, parse_integer
from clusterdns.sources import why_unreadable

RELOAD = Duration.parse("30s")
NEVER = Duration(0)
MOST_WEIGHT = 255

Weights = dict[str, dict[str, int]]


def compile_loadbalance(lines: Sequence[Line], block: BlockContext) -> None:
    """`loadbalance [round_robin | weighted FILE] { reload DURATION; prefer CIDR... }`; of several lines the last policy counts."""
    prefer: list[str] = []
    weights: Weights = {}
    for line in lines:
        weighted = bool(line.args) and line.args[0].text == "weighted"
        reload: Duration | None = RELOAD
        for option in options(line, block, ("reload", "prefer") if weighted else ("prefer",)):
            if option.name.text == "reload":
                words = arguments(option, block, "reload DURATION")
                reload = duration(words[0], block, least=NEVER) if words else None
            else:
                networks = [cidr(token, block) for token in arguments(option, block, "prefer CIDR...") or ()]
                prefer += [str(network) for network in networks if network]
        weights = {}
        if weighted:
            if words := arguments(line, block, "loadbalance weighted FILE"):
                weights = _read_weights(words[1], block.path(words[1].text), reload, block)
        elif (words := arguments(line, block, "loadbalance [round_robin]", more=("loadbalance weighted FILE",))) and words:
            choice(words[0], block, ("round_robin", "weighted"))
    block.emit(ShuffleOp(prefer=prefer, weights=weights, span=block.span(lines[-1])))


def _read_weights(file: Token, path: str, reload: Duration | None, block: BlockContext) -> Weights:
    """The weights in a file, which is watched from then on. A missing file may appear later, if it is looked for."""
    if reload is not None and reload != NEVER:
        block.watched.append(WatchedFile(path, reload))
    try:
        text = block.sources.read(path)
    except (OSError, UnicodeDecodeError) as problem:
        message = f"cannot read the weights in {path}: {why_unreadable(problem)}"
        if reload == NEVER:
            block.error(file, message, "name a file that can be read", code="unreadable")
        else:
            block.warn(file, message, "until it can be read every address weighs the same", code="unreadable")
        return {}
    return _parse_weights(text, path, file, block)


def _parse_weights(text: str, path: str, file: Token, block: BlockContext) -> Weights:
    """The weights in a text: a name on a line of its own, below it `ADDRESS WEIGHT` for each address."""
    weights: Weights = {}
    name = ""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            if len(words) == 1:
                name = _weighted_name(words[0])
                weights.setdefault(name, {})
            elif len(words) > 2:
                raise ValueError(f"`{line.strip()}` is neither NAME nor ADDRESS WEIGHT")
            elif not name:
                raise ValueError(f"`{line.strip()}` comes before any name")
            else:
                address, weight = _weight(words[0], words[1])
                weights[name].setdefault(address, weight)
        except ValueError as problem:
            block.error(file, f"{path}:{number}: {problem}", "a name on its own line, then ADDRESS WEIGHT lines", code="bad-weights")
    return weights


def _weighted_name(word: str) -> str:
    """The name that the weights below it are for."""
    if address_or_none(word):
        raise ValueError(f"the address `{word}` has no weight")
    try:
        return normalise(word)
    except InvalidName as problem:
        raise ValueError(f"`{word}` is no name: {problem}") from None


def _weight(address: str, weight: str) -> tuple[str, int]:
    """An address and its weight."""
    parsed = address_or_none(address)
    if parsed is None:
        raise ValueError(f"`{address}` is no IP address")
    return str(parsed), bounded(parse_integer(weight), 1, MOST_WEIGHT)


DIRECTIVE = Directive(name="loadbalance", compile=compile_loadbalance)

"""Flags as Go's programs take them: one or two dashes, `-conf X` or `-conf=X`, switches without a value; the first word ends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class FlagError(Exception):
    """A flag that there is not, or whose value is missing or makes no sense."""


class Flag(msgspec.Struct, frozen=True):
    """One flag. A `switch` may stand alone, and then is true; `same_as` names the flag that this one is another word for."""

    default: str
    meaning: str
    switch: bool = False
    same_as: str = ""


def parse_flags(arguments: Sequence[str], flags: Mapping[str, Flag]) -> tuple[dict[str, str], list[str]]:
    """The value of every flag, and the words behind them. Raises `FlagError`."""
    values = {name: flag.default for name, flag in flags.items()}
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        name, given, value = word.removeprefix("-").removeprefix("-").partition("=")
        flag = flags.get(name)
        if flag is None:
            raise FlagError(f"flag provided but not defined: -{name}")
        name = flag.same_as or name
        if flag.switch:
            values[name] = _truth(name, value if given else "true")
        elif given:
            values[name] = value
        elif rest:
            values[name] = rest.pop(0)
        else:
            raise FlagError(f"flag needs an argument: -{name}")
    return values, rest


def usage(program: str, flags: Mapping[str, Flag]) -> str:
    """All flags with their defaults, as `-help` shows them."""
    lines = [f"Usage of {program}:"]
    for name, flag in sorted(flags.items()):
        default = f" (default {flag.default!r})" if flag.default and not flag.switch else ""
        lines.append(f"  -{name}{'' if flag.switch else ' VALUE'}\n    \t{flag.meaning}{default}")
    return "\n".join(lines)


def _truth(name: str, value: str) -> str:
    """`true` or an empty text, from what Go takes for a boolean."""
    if value in ("1", "t", "T", "true", "TRUE", "True"):
        return "true"
    if value in ("0", "f", "F", "false", "FALSE", "False"):
        return ""
    raise FlagError(f'invalid boolean value "{value}" for -{name}')

"""The Corefiles of the collection: their texts, with the files that they name, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from clusterdns.compiler import Compilation, compile_plan
from clusterdns.corefile.syntax import Parsed, parse_corefile
from clusterdns.sources import Sources, sources_of_texts

FOLDER = Path(__file__).parent
PLACE = "/etc/coredns"
PILLARS = {
    "__PILLAR__LOCAL__DNS__": "169.254.20.10",
    "__PILLAR__DNS__SERVER__": "10.96.0.10",
    "__PILLAR__CLUSTER__DNS__": "10.96.0.11",
    "__PILLAR__UPSTREAM__SERVERS__": "/etc/resolv.conf",
}
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".Corefile", ".base"))
RESOLV_CONF = "nameserver 192.0.2.53\n"


def text_of(name: str) -> str:
    """A Corefile, its pillars filled."""
    text = (FOLDER / name).read_text()
    for pillar, value in PILLARS.items():
        text = text.replace(pillar, value)
    return text


def fragments() -> Mapping[str, str]:
    """The fragments that may be imported, by their names."""
    return {path.name: path.read_text() for path in sorted((FOLDER / "fragments").iterdir())}


def sources(name: str, with_fragments: bool) -> Sources:
    """What a Corefile finds on its machine."""
    files = {f"{PLACE}/custom/{fragment}": text for fragment, text in fragments().items()} if with_fragments else {}
    return sources_of_texts({f"{PLACE}/Corefile": text_of(name), "/etc/resolv.conf": RESOLV_CONF, **files})


def checked(name: str, with_fragments: bool) -> tuple[Parsed, Compilation]:
    """What the Corefile says, and what becomes of it."""
    outside = sources(name, with_fragments)
    parsed = parse_corefile(f"{PLACE}/Corefile", outside)
    return parsed, compile_plan(parsed, outside)

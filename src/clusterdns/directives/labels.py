"""Labels of a query's metadata in a server block: which there are, and who asks for them.

Directives offer labels, and name those that they use in conditions and logs, in any order; when all have been compiled, `metadata`
brings both together. Must not know single directives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from clusterdns.corefile.problems import Place
from clusterdns.corefile.tree import Line, Tree
from clusterdns.plan.labels import LabelSource, Metadata, NameGrammar

_LABEL = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_.-]+)+")


@dataclass
class Labels:
    """Labels of one block. `zones`: of the directive `metadata`, without which there are none.

    `mentioned`: words anywhere in the Corefile that may be labels, for directives that offer some only where somebody wants them.
    """

    mentioned: frozenset[str] = frozenset()
    zones: tuple[str, ...] | None = None
    _sources: dict[str, LabelSource] = field(default_factory=dict)
    _grammars: list[NameGrammar] = field(default_factory=list)
    _lacking: dict[str, str] = field(default_factory=dict)
    _used: list[tuple[str, Place]] = field(default_factory=list)

    def offer(self, label: str, source: LabelSource) -> None:
        """There is this label, if the block has `metadata`."""
        self._sources[label] = source

    def offer_names(self, grammar: NameGrammar) -> None:
        """There are labels that are parts of a name, if the block has `metadata`."""
        self._grammars.append(grammar)

    def lack(self, label: str, hint: str) -> None:
        """There would be this label, if the hint was followed."""
        self._lacking[label] = hint

    def use(self, label: str, at: Place) -> None:
        """Somebody asks for this label."""
        self._used.append((label, at))

    def metadata(self) -> Metadata | None:
        """What the plan tells of the labels that are used; None where none of them can be known."""
        used = dict.fromkeys(label for label, _ in self._used)
        sources = {label: self._sources[label] for label in used if label in self._sources}
        grammars = [grammar for grammar in self._grammars if not used.keys().isdisjoint(_labels_of(grammar))]
        if self.zones is None or not (sources or grammars):
            return None
        return Metadata(list(self.zones), sources, grammars)

    def empty(self) -> Iterator[tuple[Place, str, str]]:
        """Labels that are used and always empty: the place, a message and a hint."""
        known = {*self._sources, *(label for grammar in self._grammars for label in _labels_of(grammar))}
        for label, place in self._used:
            if label not in known:
                hint = self._lacking.get(label) or _suggestion(label, known)
                yield place, f"the label `{label}` is always empty: no directive of this block knows it", hint
            elif self.zones is None:
                yield place, f"the label `{label}` is always empty: this block has no `metadata`", "add a line: metadata"


def mentioned_in(tree: Tree) -> frozenset[str]:
    """Words of a Corefile that may be labels, wherever they stand."""
    return frozenset(label for block in tree.blocks for text in _words(block.lines) for label in _LABEL.findall(text))


def _words(lines: Iterable[Line]) -> Iterator[str]:
    """The arguments of all lines, those in blocks included."""
    for line in lines:
        yield from (token.text for token in line.args)
        yield from _words(line.block or ())


def _labels_of(grammar: NameGrammar) -> Iterator[str]:
    """The labels that a grammar gives."""
    yield grammar.error
    yield from (part.label for shape in grammar.shapes for part in shape if part.label)


def _suggestion(label: str, known: Iterable[str]) -> str:
    """Which label may be meant."""
    from difflib import get_close_matches  # only mistakes pay for it

    listed = sorted(known)
    close = get_close_matches(label, listed, n=1)
    return f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(listed)}" if listed else ""

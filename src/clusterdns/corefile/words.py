"""All words of a Corefile in the order in which they count: imported files and snippets stand where they are imported (rule G5).

Must not know server blocks or directives; the parser asks for an import where the grammar allows one.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from clusterdns.corefile.lexer import Word, read_words
from clusterdns.corefile.problems import Place, Problem, Severity
from clusterdns.corefile.repair import close_open_braces
from clusterdns.corefile.variables import EndlessVariable, substitute
from clusterdns.sources import Sources, why_unreadable

MOST_SNIPPETS = 10_000
MOST_FILES = 100_000
MOST_WORDS = 1_000_000
"""Words of all imports together: a Corefile that doubles itself at each step must end before the memory does."""


class _Frame(msgspec.Struct):
    """The words of one file or snippet, and how far they have been read."""

    origin: tuple[str, str]
    words: Sequence[Word]
    read: int = 0

    def next(self) -> Word | None:
        """The next word of this frame itself."""
        return self.words[self.read] if self.read < len(self.words) else None


class Words:
    """A stream of words with one word of foresight. What it finds wrong is added to `problems`."""

    def __init__(self, sources: Sources, repair: bool) -> None:
        self.problems: list[Problem] = []
        self.texts: dict[str, str] = {}
        self._sources = sources
        self._repair = repair
        self._frames: list[_Frame] = []
        self._files: dict[str, list[Word]] = {}
        self._snippets: dict[str, tuple[Place, list[Word]]] = {}
        self._missing: set[str] = set()
        self._not_found: list[tuple[str, Place]] = []
        self._snippets_used = self._files_used = self._words_used = 0
        self._too_many = False

    def open(self, path: str) -> None:
        """Begin with this file."""
        self._frames = [_Frame(("file", posixpath.normpath(path)), self._file_words(path, Place(path), path))]

    def peek(self) -> Word | None:
        """The next word, if there is one."""
        while self._frames:
            if word := self._frames[-1].next():
                return word
            self._frames.pop()
        return None

    def take(self) -> Word | None:
        """The next word, which is then behind us."""
        if word := self.peek():
            self._frames[-1].read += 1
        return word

    def text(self, word: Word) -> str:
        """What a word says once its variables are replaced."""
        try:
            return substitute(word.text, self._sources.environment)
        except EndlessVariable as problem:
            self.error("endless-variable", word.place, str(problem), "give one of them a value without a reference")
            return word.text

    def define(self, name: str, place: Place, body: list[Word]) -> None:
        """Keep a snippet; it can be imported from here on."""
        if name in self._snippets:
            first = self._snippets[name][0]
            self.error("snippet-twice", place, f"the snippet ({name}) is defined already", f"it was defined at {first}; rename one of them")
            return
        for word, argument in pairwise(body):
            begins = word.starts_line or word is body[0]
            if word.text == "import" and begins and not argument.starts_line and self.text(argument) == name:
                self.error("endless-import", word.place, f"the snippet ({name}) imports itself", "remove this line")
                body = []
                break
        self._snippets[name] = (place, body)

    def import_here(self) -> None:
        """Take `import WORD` and go on with what it names."""
        keyword = self.take()
        assert keyword is not None
        arguments = self._rest_of_line()
        if not arguments:
            self.error("argument-count", keyword.place, "`import` needs the name of a snippet or file", "write: import NAME")
            return
        if len(arguments) > 1:
            message, hint = f"`import` takes 1 argument, found {len(arguments)}", "write one `import` line for each"
            self.error("argument-count", arguments[1].place, message, hint)
        name = self.text(arguments[0])
        if not name:
            message, hint = "`import` names nothing", "a variable that is not set is empty"
            self.error("empty-import", arguments[0].place, message, hint if arguments[0].text else "")
        elif name in self._snippets:
            self._snippets_used += 1
            self._push(("snippet", name), self._snippets[name][1], arguments[0].place)
        else:
            self._import_files(name, arguments[0].place)

    def end(self) -> None:
        """Report the imports that found nothing, now that all snippets are known."""
        for name, place in self._not_found:
            if not place.line:
                self.error("unreadable", place, f"cannot read {name}: no such file")
                continue
            hint = "a path is relative to the file that it stands in"
            if name in self._snippets:
                hint = f"the snippet ({name}) is defined at {self._snippets[name][0]}; move it above this line"
            self.error("import-not-found", place, f"there is no snippet and no file `{name}`", hint)

    def error(self, code: str, place: Place, message: str, hint: str = "") -> None:
        """Report what keeps the Corefile from being used."""
        self.problems.append(Problem(Severity.ERROR, code, place, message, hint))

    def _rest_of_line(self) -> list[Word]:
        """The words behind the one just taken on its line; an import ends where its own file does."""
        frame, words = self._frames[-1], []
        while (word := frame.next()) and not word.starts_line:
            frame.read += 1
            words.append(word)
        return words

    def _import_files(self, name: str, place: Place) -> None:
        """Go on with the files that match."""
        pattern = posixpath.join(posixpath.dirname(place.file), name)
        if not any(character in pattern for character in "*?["):
            self._push_files([pattern], name, place)
            return
        if pattern.count("*") > 1 or pattern.count("?") > 1 or "[" in pattern:
            message, hint = f"`{name}` has more than one wildcard", "a pattern has one *, one ? and no [ ]"
            self.error("bad-glob", place, message, hint)
            return
        try:
            paths = self._sources.glob(pattern)
        except OSError as problem:
            self.error("unreadable", place, f"cannot look for `{name}`: {problem.strerror or problem}")
            return
        if not paths:
            message = f"No files matching import glob pattern: {name}"
            self.problems.append(Problem(Severity.WARNING, "empty-glob", place, message, "nothing is imported here"))
        self._push_files(paths, name, place)

    def _push_files(self, paths: Sequence[str], name: str, place: Place) -> None:
        """Go on with these files, in this order."""
        for path in reversed([posixpath.normpath(path) for path in paths]):
            self._files_used += 1
            self._push(("file", path), self._file_words(path, place, name), place)

    def _push(self, origin: tuple[str, str], words: Sequence[Word], place: Place) -> None:
        """Read these words next, unless they are being read already or there have been too many."""
        kind, name = origin
        # A frame of which nothing has been read is a file of the same glob that waits for its turn.
        if any(frame.origin == origin and frame.read for frame in self._frames):
            what = f"the snippet ({name})" if kind == "snippet" else f"the file {name}"
            self.error("endless-import", place, f"{what} imports itself", "the imports go in a circle; remove one of them")
            return
        self._words_used += len(words)
        if self._snippets_used > MOST_SNIPPETS or self._files_used > MOST_FILES or self._words_used > MOST_WORDS:
            if not self._too_many:
                hint = f"at most {MOST_SNIPPETS} snippets, {MOST_FILES} files and {MOST_WORDS} words can be imported"
                self.error("too-many-imports", place, "too much is imported", hint)
            self._too_many = True
            return
        if words and not words[0].starts_line:
            # An import stands on a line of its own, so what it brings does too.
            words = [replace(words[0], starts_line=True), *words[1:]]
        self._frames.append(_Frame(origin, words))

    def _file_words(self, path: str, place: Place, name: str) -> list[Word]:
        """The words of a file, read once."""
        if path not in self._files:
            self._files[path] = self._read(path, place)
        if path in self._missing:
            self._not_found.append((name, place))
        return self._files[path]

    def _read(self, path: str, place: Place) -> list[Word]:
        """Read a file; one that cannot be read is reported where it is named, and has no words."""
        try:
            text = self._sources.read(path)
        except FileNotFoundError:
            self._missing.add(path)
            return []
        except (OSError, UnicodeDecodeError) as problem:
            self.error("unreadable", place, f"cannot read {path}: {why_unreadable(problem)}")
            return []
        self.texts[path] = text
        words, problems = read_words(text, path)
        self.problems += problems
        if self._repair:
            words, problems = close_open_braces(words)
            self.problems += problems
        return words

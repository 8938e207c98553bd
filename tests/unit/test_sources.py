"""The outside world as a value."""

from __future__ import annotations

import pytest

from clusterdns.sources import UnresolvedError, sources_of_texts


def test_texts_are_files() -> None:
    sources = sources_of_texts({"a.conf": "a", "parts/b.conf": "b", "parts/a.txt": "c"}, {"HOME": "/root"})
    assert sources.read("parts/b.conf") == "b"
    assert sources.glob("parts/*") == ["parts/a.txt", "parts/b.conf"]
    assert sources.glob("nosuch/*") == []
    assert sources.environment["HOME"] == "/root"
    assert dict(sources.interfaces) == {}


def test_names_have_the_addresses_that_are_told_and_others_none() -> None:
    sources = sources_of_texts({}, hosts={"dns.example": ["192.0.2.1"]})
    assert sources.resolve("dns.example", []) == ["192.0.2.1"]
    with pytest.raises(UnresolvedError, match="there is no such name"):
        sources.resolve("other.example", [])


def test_a_file_that_is_not_there_cannot_be_read() -> None:
    with pytest.raises(FileNotFoundError) as raised:
        sources_of_texts({}).read("nosuch")
    assert raised.value.filename == "nosuch"

"""What Rust may not know and may not pull in, and where it may be unsafe."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.console import ROOT

CRATES = ROOT / "crates"
KUBERNETES = re.compile(r"(?i)(?<![a-z])(services?|pods?|endpoints?)(?![a-z])")
# Names that others have given: Linux, HTTP, and the library that speaks it.
FOREIGN = re.compile(r"CAP_NET_BIND_SERVICE|SERVICE_UNAVAILABLE|hyper::service|service_fn")
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"', re.DOTALL)

# Each file that has unsafe code, and why it needs it.
UNSAFE = {
    "io/src/sys.rs": "system calls that the standard library does not have: epoll, eventfd, socket options",
    "io/src/mmsg.rs": "recvmmsg and sendmmsg: many messages in one system call",
    "io/tests/exhaustion.rs": "setrlimit, to run out of open files in a process of its own",
    "run/src/mmsg.rs": "the same for the echo and the load client, which share nothing with the server",
}


def sources(*crates: str) -> list[Path]:
    """The Rust sources and manifests of some crates."""
    return [path for crate in crates for path in sorted((CRATES / crate).rglob("*")) if path.suffix in (".rs", ".toml")]


PRODUCT = [path for path in sources("core", "io") if "tests" not in path.parts]


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: path.relative_to(CRATES).as_posix())
def test_the_core_knows_nothing_of_kubernetes(path: Path) -> None:
    lines = FOREIGN.sub("", path.read_text().split("#[cfg(test)]")[0]).splitlines()
    found = [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if KUBERNETES.search(line)]
    assert found == [], "meaning lives in Python: the core has names, addresses, zones, member sets"


@pytest.mark.parametrize(("text", "knows"), [("a Service's", 1), ("endpoint_names", 1), ("PODS", 1), ("tripod podium microservices", 0)])
def test_words_are_found_as_words(text: str, knows: int) -> None:
    assert bool(KUBERNETES.search(text)) == bool(knows)


@pytest.mark.skipif(not shutil.which("cargo"), reason="cargo is not on the PATH: ./dev test puts it there")
def test_the_tree_of_core_has_neither_python_nor_an_event_loop() -> None:
    command = ["cargo", "tree", "--locked", "--offline", "--package", "clusterdns-core", "--edges", "normal,build", "--prefix", "none"]
    tree = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    crates = {line.split()[0] for line in tree.splitlines() if line}
    assert "clusterdns-core" in crates
    assert crates.isdisjoint({"pyo3", "tokio", "mio", "hyper", "clusterdns-io"})


@pytest.mark.skipif(not shutil.which("cargo"), reason="cargo is not on the PATH: ./dev test puts it there")
def test_io_knows_no_python() -> None:
    command = ["cargo", "tree", "--locked", "--offline", "--package", "clusterdns-io", "--edges", "normal,build", "--prefix", "none"]
    tree = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "pyo3" not in {line.split()[0] for line in tree.splitlines() if line}


def test_core_opens_no_socket_and_reads_no_clock() -> None:
    forbidden = re.compile(r"std::net::(Tcp|Udp)|std::(thread|fs|process|env)\b|Instant::now|SystemTime::now|extern crate libc|libc::")
    found = {path.relative_to(ROOT).as_posix() for path in sources("core") if forbidden.search(code_of(path))}
    assert found == set()


def test_unsafe_code_is_where_the_list_says() -> None:
    found = {path.relative_to(CRATES).as_posix() for path in CRATES.rglob("*.rs") if re.search(r"\bunsafe\b", code_of(path))}
    assert found == set(UNSAFE), "unsafe code needs an entry in UNSAFE with its reason, and an entry without code goes"


def code_of(path: Path) -> str:
    """A Rust file without its comments, strings and test module."""
    return COMMENT_OR_TEXT.sub("", path.read_text().split("#[cfg(test)]")[0])

"""`./dev run`: serve the example cluster in the foreground, say what to try, and show each query."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from tools.children import child
from tools.console import ROOT, Failed
from tools.port import HOST, check_port_is_free, wait_until_ready
from tools.setup import VENV, set_up

EXAMPLE = "examples/shop"


class Question(NamedTuple):
    """A question about the example cluster, the records that it answers, and the object that explain names. A test asks them all."""

    words: str
    answer: tuple[str, ...]
    why: str


QUESTIONS = (
    Question("web.shop.svc.cluster.local", ("10.96.238.200",), "Service shop/web"),
    Question("cart.shop.svc.cluster.local AAAA", ("fd00:96::80",), "Service shop/cart"),
    Question("db.data.svc.cluster.local", ("10.244.161.212", "10.244.115.118", "10.244.192.162"), "Service data/db"),
    Question("_http._tcp.web.shop.svc.cluster.local SRV", ("0 100 80 web.shop.svc.cluster.local.",), "Service shop/web"),
    Question("basket.shop.svc.cluster.local", ("cart.shop.svc.cluster.local.", "10.96.0.80"), "Service shop/basket"),
)


class Stopped(BaseException):
    """Ctrl-C, or SIGTERM."""


def run(port: int) -> int:
    """Serve until it is stopped (0) or the server ends by itself (1)."""
    check_port_is_free(port)
    set_up("run")
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    os.chdir(ROOT)
    admin = admin_socket(port)
    clusterdns = VENV / "bin/clusterdns"
    try:
        arguments = ["-conf", f"{EXAMPLE}/Corefile", "-dns.port", str(port), "--admin", admin]
        with child(clusterdns, "serve", *arguments, stdout=sys.stderr) as server:
            wait_until_ready(port, server)
            print(f"ready {HOST}:{port}", *lines_to_try(port, admin, bool(shutil.which("dig"))), sep="\n", flush=True)
            with child(clusterdns, "watch", "--server", admin):
                code = server.wait()
        raise Failed(f"the server ended by itself with exit code {code}: its last lines above say why")
    except Stopped:
        return 0


def lines_to_try(port: int, admin: str, has_dig: bool) -> Iterator[str]:
    """The questions, each with what it will say; the last one through explain, and where there is no dig all of them."""
    yield "\nTry in another terminal (several addresses come in any order):"
    for question in QUESTIONS:
        answer = ", ".join(question.answer)
        if has_dig and question is not QUESTIONS[-1]:
            yield f"  dig @{HOST} -p {port} +short {question.words}\n      {answer}"
        else:
            yield f"  .venv/bin/clusterdns explain {question.words} --server {admin}\n      {answer}, from {question.why}"
    yield f"\nEdit a file in {EXAMPLE}/ and ask again. One line per query follows; Ctrl-C ends it.\n"


def admin_socket(port: int) -> str:
    """Where this server listens for `explain` and `watch`; relative, because a socket's path may have 107 characters."""
    folder = Path("target/run")
    folder.mkdir(parents=True, exist_ok=True)
    return f"unix:{folder}/{port}.sock"


def stop(signum: int, frame: FrameType | None) -> None:
    """A signal asks us to end."""
    raise Stopped

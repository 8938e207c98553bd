"""`tls`: the certificate of a `tls://` server, and what it wants of its clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from clusterdns.corefile.tree import Line
from clusterdns.directives.block import BlockContext, Directive
from clusterdns.directives.options import arguments, choice, engine_files, options
from clusterdns.plan.listeners import VERIFYING, ClientAuth, TlsServer

CLIENT_AUTH: dict[str, ClientAuth] = {word: word for word in get_args(ClientAuth)}

ACME = ("acme", "email", "ca", "storage", "ca_root", "resolver")
"""Options of CoreDNS's own way to get certificates."""


def compile_tls(lines: Sequence[Line], block: BlockContext) -> None:
    """`tls CERT KEY [CA] { client_auth nocert|request|require|verify_if_given|require_and_verify }`"""
    line = lines[0]
    if not line.args and any(option.name.text in ACME for option in line.block or ()):
        hint = "write tls CERT KEY; where cert-manager or another program renews these files, the change is taken up"
        block.error(line, "certificates by ACME are not supported", hint, code="unsupported-option")
        files = []
    else:
        files = engine_files(arguments(line, block, "tls CERT KEY [CA]") or (), block)
    client_auth: ClientAuth = "nocert"
    for option in [] if not files else options(line, block, ("client_auth", "keylog")):
        if option.name.text == "keylog":
            hint = "whoever reads such a file can read all that clients ask; remove the line"
            block.error(option, "`keylog` is not supported", hint, code="unsupported-option")
        elif words := arguments(option, block, f"client_auth {'|'.join(CLIENT_AUTH)}"):
            client_auth = CLIENT_AUTH.get(choice(words[0], block, CLIENT_AUTH) or "", client_auth)
    cert, key, ca = (*files, "", "", "")[:3]
    if ca and client_auth not in VERIFYING:
        hint = f"no certificate of a client is verified: remove it, or write client_auth {' or '.join(VERIFYING)}"
        block.warn(line.args[2], f"`{line.args[2].text}` has no effect", hint, code="no-effect")
    if "tls" not in block.schemes:
        block.warn(line, "`tls` has no effect", "no key of this block begins with tls://", code="no-effect")
    block.tls = TlsServer(cert, key, ca, client_auth)


DIRECTIVE = Directive(name="tls", compile=compile_tls, once=True)

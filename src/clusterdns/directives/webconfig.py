"""Prometheus's own file about how a server is secured (`--web.config.file`), as far as it is about TLS: for `prometheus { tls FILE }`.

Keys: https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md. What would be less secure without us
knowing it is an error; what has no effect here is a warning. Must not know the directive.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from clusterdns.corefile.problems import Place, has_errors
from clusterdns.corefile.tree import Token
from clusterdns.directives.block import BlockContext, WatchedFile
from clusterdns.directives.options import LOOK, suggestion
from clusterdns.plan.listeners import VERIFYING, ClientAuth, TlsServer
from clusterdns.sources import why_unreadable

if TYPE_CHECKING:
    import yaml

CLIENT_AUTH: Final[dict[str, ClientAuth]] = {
    "": "nocert",
    "NoClientCert": "nocert",
    "RequestClientCert": "request",
    "RequireClientCert": "require",
    "RequireAnyClientCert": "require",
    "VerifyClientCertIfGiven": "verify_if_given",
    "RequireAndVerifyClientCert": "require_and_verify",
}
FILES: Final = ("cert_file", "key_file", "client_ca_file")
TLS: Final = "tls_server_config"

_KNOWN = {
    "": (TLS, "http_server_config", "basic_auth_users", "rate_limit"),
    TLS: (
        *(*FILES, "client_auth_type", "min_version", "max_version", "prefer_server_cipher_suites"),
        *("cert", "key", "client_ca", "client_allowed_sans", "cipher_suites", "curve_preferences"),
    ),
}
"""The keys of the file, and of its mapping about TLS."""
_INSTEAD = {
    "cert": "write cert_file",
    "key": "write key_file",
    "client_ca": "write client_ca_file",
    "client_allowed_sans": "clients are told apart by the authority in client_ca_file alone",
    "cipher_suites": "those of TLS 1.3, and those of TLS 1.2 with forward secrecy, are used; remove it",
    "curve_preferences": "remove it",
    "basic_auth_users": "have certificates of clients instead: client_auth_type and client_ca_file",
}
"""What is not supported, and what to do."""
_WITHOUT_EFFECT = ("http_server_config", "rate_limit", "prefer_server_cipher_suites")
_VERSIONS = {
    "min_version": {"TLS12": True, "TLS11": False, "TLS10": False},
    "max_version": {"TLS13": True},
}
"""Versions that can be had; False: what we do is stricter."""


def read_web_config(word: Token, block: BlockContext) -> TlsServer | None:
    """What the file says; None if it cannot be used, which is reported then. The file and those that it names are watched."""
    path = posixpath.normpath(posixpath.join(block.directory, block.path(word.text)))
    try:
        text = block.sources.read(path)
    except (OSError, UnicodeDecodeError) as problem:
        what = why_unreadable(problem)
        hint = "it is the path of a YAML file with tls_server_config; or write: tls CERT KEY [CA]"
        block.error(word, f"cannot read {path}: {what}", hint, code="unreadable")
        return None
    block.watched.append(WatchedFile(path, LOOK))
    before = len(block.problems)
    found = dict(_settings(path, text, block))
    if has_errors(block.problems[before:]):
        return None
    return _server(word, path, found, block)


def _server(word: Token, path: str, found: dict[str, str], block: BlockContext) -> TlsServer | None:
    """The settings together."""
    for key in ("cert_file", "key_file"):
        if not found.get(key):
            block.error(word, f"{path} has no {key}", f"write {TLS}: with cert_file: and key_file:", code="bad-web-config")
            return None
    client_auth = CLIENT_AUTH[found.get("client_auth_type", "")]
    cert, key, ca = (_file(path, found.get(name, "")) for name in FILES)
    if ca and client_auth not in VERIFYING:
        hint = "write client_auth_type: RequireAndVerifyClientCert, or remove client_ca_file"
        block.error(word, f"{path} has a client_ca_file, and no client_auth_type that verifies", hint, code="bad-web-config")
        return None
    block.watched += [WatchedFile(name, LOOK) for name in (cert, key, ca) if name]
    return TlsServer(cert, key, ca, client_auth)


def _file(path: str, named: str) -> str:
    """A file that is named in another: relative to its folder."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), named)) if named else ""


def _settings(path: str, text: str, block: BlockContext) -> Iterator[tuple[str, str]]:
    """The settings about TLS; what is wrong with the file is reported."""
    import yaml  # only who has such a file pays for it

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path, 1, 1)
        block.error(place, f"this is no YAML: {getattr(problem, 'problem', None) or problem}", code="bad-web-config")
        return
    for key, node in _items("", root, path, block):
        if key == TLS:
            for name, value in _items(TLS, node, path, block):
                if isinstance(value, yaml.ScalarNode):
                    yield from _setting(name, value, path, block)
                else:
                    block.error(_place(path, value), f"`{name}` is a text", f"write {name}: VALUE", code="bad-web-config")


def _setting(name: str, value: yaml.ScalarNode, path: str, block: BlockContext) -> Iterator[tuple[str, str]]:
    """A setting whose value is one that can be."""
    text = "" if value.tag.endswith(":null") else str(value.value)
    if name == "client_auth_type" and text not in CLIENT_AUTH:
        block.error(
            _place(path, value), f"there is no client_auth_type `{text}`", suggestion(text, list(CLIENT_AUTH)[1:]), code="bad-value"
        )
    elif name in _VERSIONS:
        usable = _VERSIONS[name].get(text)
        if usable is None:
            block.error(_place(path, value), f"{name} `{text}` is not supported", "TLS 1.2 and 1.3 are used", code="unsupported-option")
        elif not usable:
            block.warn(_place(path, value), f"{name} `{text}` has no effect", "TLS is at least 1.2", code="no-effect")
    else:
        yield name, text


def _items(of: str, node: yaml.Node | None, path: str, block: BlockContext) -> Iterator[tuple[str, yaml.Node]]:
    """The entries of a mapping with a key that is known and can be had."""
    import yaml

    if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
        return
    if not isinstance(node, yaml.MappingNode):
        block.error(_place(path, node), f"{f'`{of}`' if of else 'the file'} has to be a mapping", f"write {TLS}:", code="bad-web-config")
        return
    for key, value in node.value:
        name, place = str(key.value), _place(path, key)
        if name not in _KNOWN[of]:
            block.error(place, f"unknown key `{name}`", suggestion(name, _KNOWN[of]), code="unknown-option")
        elif name in _INSTEAD:
            block.error(place, f"`{name}` is not supported", _INSTEAD[name], code="unsupported-option")
        elif name in _WITHOUT_EFFECT:
            block.warn(place, f"`{name}` has no effect", "remove it", code="no-effect")
        else:
            yield name, value


def _place(path: str, node: yaml.Node) -> Place:
    """Where it stands."""
    return Place(path, node.start_mark.line + 1, node.start_mark.column + 1)

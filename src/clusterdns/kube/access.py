"""Where the API server is, and how to be known there: in a pod, from the options `endpoint` and `tls`, or from a kubeconfig.

Everything is read again when its files have changed, as tokens and certificates are rotated. What cannot be read raises `AccessError`
with one line for people; whoever asked tries again later.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock
from typing import Protocol

import msgspec
from msgspec.structs import replace

from clusterdns.records.options import ApiOptions

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class NoClusterError(Exception):
    """There is no API server to ask, and waiting will not bring one: the process is in no pod and was told of none."""


class AccessError(Exception):
    """There is no way to the API server as things are; the message says what is missing."""


class Credentials(Protocol):
    """Who we are, as headers and as a certificate."""

    def authorization(self) -> str:
        """The value of the header `Authorization`; empty for none."""

    def certificate(self) -> tuple[Material, Material] | None:
        """The client certificate and its key, if it is up to the credentials to bring them."""

    def refused(self) -> None:
        """The API server did not know us: what was kept is not to be used again."""


class Material(msgspec.Struct, frozen=True):
    """A certificate or a key: a file, or the PEM text itself."""

    path: str = ""
    pem: bytes = b""


class Access(msgspec.Struct, frozen=True):
    """A way to an API server. `server` is its URL; without `ca` the system's authorities are trusted."""

    server: str
    credentials: Credentials
    ca: Material | None = None
    certificate: tuple[Material, Material] | None = None
    server_name: str = ""
    insecure: bool = False

    def tls(self) -> ssl.SSLContext:
        """What TLS needs to know. Raises `AccessError`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca is not None:
            _load("the API server's CA", self.ca, lambda: context.load_verify_locations(cadata=_text(self.ca)))
        else:
            context.load_default_certs()
        pair = self.credentials.certificate() or self.certificate
        if pair is not None:
            _load("the client certificate", pair[0], lambda: _load_pair(context, *pair))
        return context


class NoCredentials:
    """Nobody: for API servers that let anyone read, and for client certificates."""

    def authorization(self) -> str:
        """No header."""
        return ""

    def certificate(self) -> tuple[Material, Material] | None:
        """No certificate."""
        return None

    def refused(self) -> None:
        """There is nothing to forget."""


class Token(NoCredentials):
    """A token that was written down."""

    def __init__(self, token: str) -> None:
        self._token = token

    def authorization(self) -> str:
        """The token."""
        return f"Bearer {self._token}"


class TokenFile(NoCredentials):
    """A token in a file, which is replaced long before it expires."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._token = ""
        self._read_at: tuple[int, int, int] | None = None

    def authorization(self) -> str:
        """The token that is in the file now. Raises `AccessError`."""
        try:
            state = _state(self._path)
            if state is None or state != self._read_at:
                with open(self._path, encoding="ascii") as file:
                    self._token = file.read().strip()
                self._read_at = state
        except (OSError, UnicodeDecodeError) as why:
            raise AccessError(f"the token cannot be read from {self._path}: {reason(why)}") from why
        if not self._token:
            raise AccessError(f"the token file {self._path} is empty")
        return f"Bearer {self._token}"

    def refused(self) -> None:
        """Read the file once more, whatever its times say."""
        self._read_at = None


def find_access(options: ApiOptions, environment: Mapping[str, str] = os.environ, account: str = SERVICE_ACCOUNT) -> Access:
    """The way that the options of `kubernetes` name; without any that of a pod, and elsewhere that of KUBECONFIG. Raises `AccessError`."""
    if options.kubeconfig:
        from clusterdns.kube.kubeconfig import read_kubeconfig  # PyYAML is large, and a pod needs none

        return read_kubeconfig(options.kubeconfig.split(os.pathsep), options.context, environment)
    if options.endpoint:
        return _endpoint(options)
    if environment.get("KUBECONFIG") and not environment.get("KUBERNETES_SERVICE_HOST"):
        return find_access(replace(options, kubeconfig=environment["KUBECONFIG"]), environment, account)
    return _in_cluster(environment, account)


class Finder:
    """Finds the way again only when the kubeconfig has changed: credentials that a program gave are kept meanwhile."""

    def __init__(self, options: ApiOptions, environment: Mapping[str, str] = os.environ, account: str = SERVICE_ACCOUNT) -> None:
        self._find = partial(find_access, options, environment, account)
        self._paths = (options.kubeconfig or environment.get("KUBECONFIG", "")).split(os.pathsep)
        self._found: tuple[object, Access] | None = None
        self._lock = Lock()

    def __call__(self) -> Access:
        """The way as it is now. Raises `AccessError`."""
        with self._lock:
            state = [_state(path) for path in self._paths]
            if self._found is None or self._found[0] != state:
                self._found = (state, self._find())
            return self._found[1]


def _state(path: str) -> tuple[int, int, int] | None:
    """What changes when a file does."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _endpoint(options: ApiOptions) -> Access:
    """`endpoint URL` with `tls CERT KEY CA`: a host without scheme is taken at its word, plain HTTP."""
    server = options.endpoint if "://" in options.endpoint else f"http://{options.endpoint}"
    if not options.tls:
        return Access(server, NoCredentials())
    certificate, key, ca = (Material(path) for path in options.tls)
    return Access(server, NoCredentials(), ca=ca, certificate=(certificate, key))


def check_there_is_a_cluster(options: ApiOptions, environment: Mapping[str, str] = os.environ) -> None:
    """Raises `NoClusterError` where the environment would have to tell of an API server and does not; it never will."""
    if options.endpoint or options.kubeconfig:
        return
    try:
        _in_cluster(environment, SERVICE_ACCOUNT)
    except AccessError as why:
        raise NoClusterError(str(why)) from None


def _in_cluster(environment: Mapping[str, str], account: str) -> Access:
    """What every pod is given."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST", ""), environment.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        raise AccessError(
            "this is no pod (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set): "
            "use kubeconfig FILE, endpoint URL, or manifests PATH without a cluster"
        )
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    return Access(server, TokenFile(os.path.join(account, "token")), ca=Material(os.path.join(account, "ca.crt")))


def reason(why: Exception) -> str:
    """An exception in a few words."""
    if isinstance(why, OSError) and why.strerror:
        return why.strerror
    return str(why) or type(why).__name__


def _text(material: Material | None) -> str:
    """The PEM text of a material."""
    if material is None:
        return ""
    if material.pem:
        return material.pem.decode("ascii", "replace")
    with open(material.path, encoding="ascii", errors="replace") as file:
        return file.read()


def _load(what: str, material: Material, load: Callable[[], None]) -> None:
    """Loads something into TLS, or says which file is to blame."""
    try:
        load()
    except (OSError, ValueError) as why:
        where = material.path or "the kubeconfig"
        detail = "it is not in PEM format, or does not fit its key" if isinstance(why, ssl.SSLError) else reason(why)
        raise AccessError(f"{what} cannot be read from {where}: {detail}") from why


def _load_pair(context: ssl.SSLContext, certificate: Material, key: Material) -> None:
    """OpenSSL reads these two from files only: what is no file becomes one in memory, not on a disk."""
    with _as_file(certificate) as certificate_path, _as_file(key) as key_path:
        context.load_cert_chain(certificate_path, key_path)


class _as_file:
    """A material under a path, while the block lasts."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._fd = -1

    def __enter__(self) -> str:
        if not self._material.pem:
            return self._material.path
        self._fd = os.memfd_create("pem", os.MFD_CLOEXEC)
        os.write(self._fd, self._material.pem)
        return f"/proc/self/fd/{self._fd}"

    def __exit__(self, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)

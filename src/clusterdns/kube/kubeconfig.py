"""A kubeconfig as a way to an API server: contexts, clusters and users, from one file or several laid over each other."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import yaml

from clusterdns.cluster import Api
from clusterdns.kube.access import Access, AccessError, Credentials, Material, NoCredentials, Token, TokenFile, reason
from clusterdns.kube.execplugin import ExecCredentials, ExecPlugin

Value = TypeVar("Value")


class ApiCluster(Api, frozen=True, rename="kebab"):
    """`cluster`: an API server. Paths are relative to the file that they stand in."""

    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    proxy_url: str = ""


class ApiUser(Api, frozen=True, rename="kebab"):
    """`user`: ways to be known."""

    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(name="tokenFile", default="")
    username: str = ""
    password: str = ""
    exec: ExecPlugin | None = None
    auth_provider: dict[str, Any] | None = None


class ApiContext(Api, frozen=True):
    """`context`: a cluster and a user."""

    cluster: str = ""
    user: str = ""


class NamedCluster(Api, frozen=True):
    """An entry of `clusters`."""

    name: str
    cluster: ApiCluster


class NamedUser(Api, frozen=True):
    """An entry of `users`."""

    name: str
    user: ApiUser = ApiUser()


class NamedContext(Api, frozen=True):
    """An entry of `contexts`."""

    name: str
    context: ApiContext


class ApiConfig(Api, frozen=True, rename="kebab"):
    """A kubeconfig file."""

    clusters: tuple[NamedCluster, ...] | None = None
    users: tuple[NamedUser, ...] | None = None
    contexts: tuple[NamedContext, ...] | None = None
    current_context: str | None = None


def read_kubeconfig(paths: Sequence[str], context: str = "", environment: Mapping[str, str] = os.environ) -> Access:
    """The way that a context means, the current one if none is named. Of names that several files have the first counts."""
    clusters: dict[str, tuple[ApiCluster, str]] = {}
    users: dict[str, tuple[ApiUser, str]] = {}
    contexts: dict[str, ApiContext] = {}
    current = ""
    for path in filter(None, paths):
        config = _read(path)
        directory = os.path.dirname(os.path.abspath(path))
        for cluster in config.clusters or ():
            clusters.setdefault(cluster.name, (cluster.cluster, directory))
        for user in config.users or ():
            users.setdefault(user.name, (user.user, directory))
        for named in config.contexts or ():
            contexts.setdefault(named.name, named.context)
        current = current or config.current_context or ""
    where = os.pathsep.join(paths)
    chosen = _one(where, "context", contexts, context or current)
    cluster_, cluster_directory = _one(where, "cluster", clusters, chosen.cluster)
    user_, user_directory = _one(where, "user", users, chosen.user) if chosen.user else (ApiUser(), "")
    return _access(where, cluster_, cluster_directory, user_, user_directory, environment)


def _access(
    where: str, cluster: ApiCluster, cluster_directory: str, user: ApiUser, user_directory: str, environment: Mapping[str, str]
) -> Access:
    """The way that a cluster and a user make."""
    if not cluster.server:
        raise AccessError(f"{where}: the cluster has no `server`")
    if cluster.proxy_url:
        raise AccessError(f"{where}: `proxy-url` is not supported: the cluster's DNS server has to reach the API server directly")
    ca = _material(where, "certificate-authority", cluster.certificate_authority, cluster.certificate_authority_data, cluster_directory)
    certificate = _material(where, "client-certificate", user.client_certificate, user.client_certificate_data, user_directory)
    key = _material(where, "client-key", user.client_key, user.client_key_data, user_directory)
    if bool(certificate) != bool(key):
        raise AccessError(f"{where}: client-certificate and client-key need each other")
    return Access(
        server=cluster.server.rstrip("/"),
        credentials=_credentials(where, cluster, ca, user, user_directory, environment),
        ca=ca,
        certificate=(certificate, key) if certificate and key else None,
        server_name=cluster.tls_server_name,
        insecure=cluster.insecure_skip_tls_verify,
    )


def _credentials(
    where: str, cluster: ApiCluster, ca: Material | None, user: ApiUser, directory: str, environment: Mapping[str, str]
) -> Credentials:
    """Who we are. A token file is preferred to the token beside it, which may be an old one."""
    if user.auth_provider is not None:
        raise AccessError(f"{where}: `auth-provider` is not supported, nor by Kubernetes since 1.26: use `exec`")
    if user.username or user.password:
        raise AccessError(f"{where}: basic authentication is not supported, nor by Kubernetes since 1.19: use a token")
    if user.token_file:
        return TokenFile(os.path.join(directory, user.token_file))
    if user.token:
        return Token(user.token)
    if user.exec is not None:
        return ExecCredentials(user.exec, directory, _exec_cluster(cluster, ca), environment)
    return NoCredentials()


def _exec_cluster(cluster: ApiCluster, ca: Material | None) -> dict[str, Any]:
    """What a plugin that asks for it is told of the cluster."""
    told: dict[str, Any] = {"server": cluster.server}
    if cluster.tls_server_name:
        told["tls-server-name"] = cluster.tls_server_name
    if cluster.insecure_skip_tls_verify:
        told["insecure-skip-tls-verify"] = True
    if ca is not None:
        try:
            pem = ca.pem or open(ca.path, "rb").read()  # noqa: SIM115 - closed with its last reference
        except OSError as why:
            raise AccessError(f"the API server's CA cannot be read from {ca.path}: {reason(why)}") from why
        told["certificate-authority-data"] = base64.b64encode(pem).decode()
    return told


def _read(path: str) -> ApiConfig:
    """One file. Raises `AccessError`."""
    try:
        with open(path, "rb") as file:
            found = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return msgspec.convert({} if found is None else found, ApiConfig)
    except OSError as why:
        raise AccessError(f"the kubeconfig cannot be read from {path}: {reason(why)}") from why
    except yaml.YAMLError as why:
        raise AccessError(f"the kubeconfig {path} is not YAML: {' '.join(str(why).split())}") from why
    except (msgspec.ValidationError, RecursionError) as why:
        raise AccessError(f"the kubeconfig {path} makes no sense: {why}") from why


def _one(where: str, what: str, known: Mapping[str, Value], name: str) -> Value:
    """The named entry."""
    if name in known:
        return known[name]
    there = f"there are: {', '.join(sorted(known))}" if known else "there is none"
    raise AccessError(f"{where}: no {what} `{name}`; {there}" if name else f"{where}: no current-context is set; {there}")


def _material(where: str, what: str, path: str, data: str, directory: str) -> Material | None:
    """A certificate or key, inline or in a file; inline counts."""
    if data:
        try:
            return Material(pem=base64.b64decode(data, validate=True))
        except binascii.Error as why:
            raise AccessError(f"{where}: {what}-data is not base64") from why
    return Material(path=os.path.join(directory, path)) if path else None

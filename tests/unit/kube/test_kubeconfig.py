"""Kubeconfigs: files, contexts, and what is refused in clear words."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusterdns.kube.access import AccessError, Material
from clusterdns.kube.execplugin import ExecCredentials
from clusterdns.kube.kubeconfig import read_kubeconfig


def config(tmp_path: Path, user: dict[str, Any] | None = None, name: str = "config", **cluster: Any) -> str:
    """A file with one cluster, one user and one context."""
    path = tmp_path / name
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "k", "cluster": {"server": "https://10.0.0.1:6443/", **cluster}}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "x"}}],
        "current-context": "c",
        "preferences": {},
    }
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_the_current_context_is_the_way(tmp_path: Path) -> None:
    access = read_kubeconfig([config(tmp_path, {"token": "t"}, **{"certificate-authority": "ca.pem", "tls-server-name": "kubernetes"})])
    assert access.server == "https://10.0.0.1:6443"
    assert access.ca == Material(str(tmp_path / "ca.pem"))
    assert access.server_name == "kubernetes"
    assert access.credentials.authorization() == "Bearer t"
    assert not access.insecure


def test_certificates_may_be_inline(tmp_path: Path) -> None:
    data = {f"client-{name}-data": base64.b64encode(name.encode()).decode() for name in ("certificate", "key")}
    access = read_kubeconfig([config(tmp_path, data, **{"certificate-authority-data": base64.b64encode(b"ca").decode()})])
    assert access.ca == Material(pem=b"ca")
    assert access.certificate == (Material(pem=b"certificate"), Material(pem=b"key"))


def test_a_token_file_is_preferred_to_the_token_beside_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("fresh")
    access = read_kubeconfig([config(tmp_path, {"token": "stale", "tokenFile": "token"})])
    assert access.credentials.authorization() == "Bearer fresh"


def test_a_context_can_be_named(tmp_path: Path) -> None:
    path = config(tmp_path)
    with pytest.raises(AccessError, match="no context `d`; there are: c"):
        read_kubeconfig([path], "d")
    assert read_kubeconfig([path], "c").server == "https://10.0.0.1:6443"


def test_of_several_files_the_first_counts(tmp_path: Path) -> None:
    first = config(tmp_path, {"token": "first"}, "first")
    second = config(tmp_path, {"token": "second"}, "second", server="https://second")
    assert read_kubeconfig([first, second]).credentials.authorization() == "Bearer first"
    (tmp_path / "users").write_text("users: [{name: u, user: {token: third}}]\n")
    access = read_kubeconfig([str(tmp_path / "users"), second])
    assert (access.server, access.credentials.authorization()) == ("https://second", "Bearer third")


@pytest.mark.parametrize(
    ("user", "cluster", "message"),
    [
        ({}, {"proxy-url": "http://proxy:3128"}, "`proxy-url` is not supported"),
        ({}, {"server": ""}, "the cluster has no `server`"),
        ({"auth-provider": {"name": "gcp"}}, {}, "`auth-provider` is not supported"),
        ({"username": "u", "password": "p"}, {}, "basic authentication is not supported"),
        ({"client-certificate": "c"}, {}, "client-certificate and client-key need each other"),
        ({"client-key-data": "!"}, {}, "client-key-data is not base64"),
        ({"exec": {"command": "aws", "apiVersion": "client.authentication.k8s.io/v1alpha1"}}, {}, "v1alpha1 is not one of"),
        ({"exec": {"command": "aws"}}, {}, r"apiVersion \(none\) is not one of"),
        ({"token": 7}, {}, r"makes no sense: Expected `str`, got `int` - at `\$.users\[0\].user.token`"),
    ],
)
def test_what_is_not_supported_is_said(tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], message: str) -> None:
    with pytest.raises(AccessError, match=message):
        read_kubeconfig([config(tmp_path, user, **cluster)])


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "no current-context"), ("{", "is not YAML"), ("[]", "makes no sense"), ("current-context: c\n", "no context `c`; there is none")],
)
def test_files_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(AccessError, match=message):
        read_kubeconfig([str(tmp_path / "config")])


def test_an_exec_plugin_is_found_beside_the_file(tmp_path: Path) -> None:
    program = tmp_path / "login"
    version = "client.authentication.k8s.io/v1"
    credential = f'{{"apiVersion":"{version}","kind":"ExecCredential","status":{{"token":"from-program"}}}}'
    program.write_text(f"#!/bin/sh\necho '{credential}'\n")
    program.chmod(0o755)
    access = read_kubeconfig([config(tmp_path, {"exec": {"command": "./login", "apiVersion": version}})])
    assert isinstance(access.credentials, ExecCredentials)
    assert access.credentials.authorization() == "Bearer from-program"

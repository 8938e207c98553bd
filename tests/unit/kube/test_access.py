"""Where the API server is, and who we are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clusterdns.kube.access import Access, AccessError, Finder, Material, NoCredentials, Token, TokenFile, find_access
from clusterdns.records.options import ApiOptions

POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def test_a_pod_knows_its_API_server(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    access = find_access(ApiOptions(), POD, str(tmp_path))
    assert access.server == "https://10.96.0.1:443"
    assert access.ca == Material(str(tmp_path / "ca.crt"))
    assert access.credentials.authorization() == "Bearer abc"


def test_a_pod_may_have_an_IPv6_API_server(tmp_path: Path) -> None:
    assert find_access(ApiOptions(), POD | {"KUBERNETES_SERVICE_HOST": "fd00:96::1"}, str(tmp_path)).server == "https://[fd00:96::1]:443"


def test_elsewhere_it_is_said_what_to_write() -> None:
    with pytest.raises(AccessError, match=r"no pod .*kubeconfig FILE, endpoint URL, or manifests PATH"):
        find_access(ApiOptions(), {})


def test_elsewhere_KUBECONFIG_counts(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match=f"{tmp_path}/none: No such file"):
        find_access(ApiOptions(), {"KUBECONFIG": f"{tmp_path}/none"})


def test_B5_endpoint_and_tls() -> None:
    access = find_access(ApiOptions(endpoint="https://10.0.0.1:6443", tls=("cert", "key", "ca")), POD)
    assert access.server == "https://10.0.0.1:6443"
    assert access.ca == Material("ca")
    assert access.certificate == (Material("cert"), Material("key"))
    assert find_access(ApiOptions(endpoint="localhost:8080")).server == "http://localhost:8080"


def test_a_rotated_token_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old")
    token = TokenFile(str(path))
    assert token.authorization() == "Bearer old"
    (tmp_path / "new").write_text("newer")
    os.replace(tmp_path / "new", path)
    assert token.authorization() == "Bearer newer"


def test_a_token_that_cannot_be_read_is_one_line_and_tried_again(tmp_path: Path) -> None:
    token = TokenFile(str(tmp_path / "token"))
    with pytest.raises(AccessError, match=r"the token cannot be read from .*/token: No such file or directory"):
        token.authorization()
    (tmp_path / "token").write_text("")
    with pytest.raises(AccessError, match="is empty"):
        token.authorization()
    (tmp_path / "token").write_text("here")
    assert token.authorization() == "Bearer here"


def test_a_refused_token_is_read_again_though_its_file_looks_the_same(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("aaa")
    token = TokenFile(str(path))
    assert token.authorization() == "Bearer aaa"
    before = path.stat()
    path.write_text("bbb")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    token.refused()
    assert token.authorization() == "Bearer bbb"


@pytest.mark.parametrize(
    ("access", "message"),
    [
        (Access("https://x", NoCredentials(), ca=Material("/none")), "the API server's CA cannot be read from /none: No such file"),
        (
            Access("https://x", NoCredentials(), ca=Material(pem=b"nonsense")),
            "the API server's CA cannot be read from the kubeconfig: it is not",
        ),
        (
            Access("https://x", NoCredentials(), insecure=True, certificate=(Material(pem=b"a"), Material(pem=b"b"))),
            "the client certificate cannot be read from the kubeconfig: it is not in PEM format",
        ),
    ],
)
def test_unreadable_certificates_are_one_line(access: Access, message: str) -> None:
    with pytest.raises(AccessError, match=message):
        access.tls()


def test_the_way_is_found_again_when_the_kubeconfig_changes(tmp_path: Path) -> None:
    path = tmp_path / "config"
    finder = Finder(ApiOptions(kubeconfig=str(path)), {})
    with pytest.raises(AccessError):
        finder()
    text = "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\nclusters: [{name: k, cluster: {server: 'http://SERVER'}}]\n"
    path.write_text(text.replace("SERVER", "one"))
    first = finder()
    assert first.server == "http://one"
    assert finder() is first
    path.write_text(text.replace("SERVER", "another"))
    assert finder().server == "http://another"


def test_a_token_is_a_header() -> None:
    assert Token("x").authorization() == "Bearer x"
    assert NoCredentials().authorization() == ""
